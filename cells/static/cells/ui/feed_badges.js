/** A badge in the bar for each feed of the sheet: it turns, in colour and in words, when nothing comes. */

import { inUnits } from "./ago.js";
import { element } from "./elements.js";
import { icon } from "./icons.js";
import { gettext, locale } from "./words.js";

const MAX_SHOWN = 3; // the others are behind a number

/** @typedef {{name: string, columns: string[], is_stale: boolean, seconds: number|null, trouble: boolean, policy: string}} Feed */
/** @typedef {"trouble"|"stale"|"fine"} State */
/** @type {State[]} the worst first */
const STATES = ["trouble", "stale", "fine"];

/**
 * @param {Feed} feed
 * @returns {State}
 */
export function stateOf({ trouble, is_stale }) {
  if (trouble) return "trouble";
  return is_stale ? "stale" : "fine";
}

/**
 * Return what to say of a feed.
 * @param {Feed} feed
 */
export function sentenceOf(feed) {
  const { name, seconds } = feed;
  const state = stateOf(feed);
  if (state === "trouble") return gettext("%(name)s cannot be heard", { name });
  if (seconds === null) return state === "stale" ? gettext("%(name)s is late: nothing came yet", { name }) : gettext("%(name)s: nothing came yet", { name });
  const [count, unit] = inUnits(seconds);
  if (state === "stale") {
    const time = count.toLocaleString(locale, { style: "unit", unit, unitDisplay: "long" });
    return gettext("%(name)s is late: nothing for %(time)s", { name, time });
  }
  const when = new Intl.RelativeTimeFormat(locale, { numeric: "always" }).format(-count, unit);
  return gettext("%(name)s: last message %(when)s", { name, when });
}

/**
 * @param {Feed} one
 * @param {Feed} other
 */
function byState(one, other) {
  return STATES.indexOf(stateOf(one)) - STATES.indexOf(stateOf(other)) || one.name.localeCompare(other.name, locale);
}

export class FeedBadges {
  #list = element("ul", "feeds", { "aria-label": gettext("Streams of this sheet") });
  /** @type {Map<string, HTMLButtonElement>} by name; "" has the others */ #badges = new Map();
  /** @type {Map<string, State>} */ #states = new Map();
  /** @type {Feed[]} */ #feeds = [];
  #around;

  /**
   * @param {HTMLElement} people the list that it stands before
   * @param {object} around
   * @param {(sentence: string) => void} around.say politely, to a screen reader
   * @param {(sentence: string) => void} around.tell
   */
  constructor(people, around) {
    this.#around = around;
    this.#list.hidden = true;
    people.before(this.#list);
  }

  /** @param {Feed[]} feeds */
  show(feeds) {
    this.#feeds = [...feeds].sort(byState);
    const shown = this.#feeds.length > MAX_SHOWN + 1 ? this.#feeds.slice(0, MAX_SHOWN) : this.#feeds;
    const others = this.#feeds.slice(shown.length);
    const wanted = shown.map((feed) => this.#paint(feed.name, stateOf(feed), sentenceOf(feed)));
    if (others.length > 0) {
      const sentences = others.map(sentenceOf).join("; ");
      wanted.push(this.#paint("", stateOf(others[0]), gettext("%(count)s more: %(names)s", { count: others.length, names: sentences })));
      wanted.at(-1)?.setAttribute("data-count", `+${others.length}`);
    }
    this.#arrange(wanted);
    this.#list.hidden = wanted.length === 0;
    this.#sayTurns();
  }

  /**
   * @param {string} name
   * @param {State} state
   * @param {string} sentence
   */
  #paint(name, state, sentence) {
    const badge = this.#badges.get(name) ?? this.#make(name);
    badge.dataset.state = state;
    badge.title = sentence;
    badge.setAttribute("aria-label", sentence);
    if (badge.lastElementChild) badge.lastElementChild.textContent = state === "fine" || name === "" ? "" : sentence;
    return badge;
  }

  /** @param {string} name */
  #make(name) {
    const badge = element("button", "badge badge-feed", { type: "button" });
    if (name !== "") badge.append(icon("stream"), element("span", "feed-words"));
    badge.addEventListener("click", () => {
      const asked = name === "" ? this.#feeds.slice(MAX_SHOWN) : this.#feeds.filter((feed) => feed.name === name);
      for (const feed of asked) this.#around.tell(detailsOf(feed));
    });
    this.#badges.set(name, badge);
    const item = element("li", "feed");
    item.append(badge);
    return badge;
  }

  /**
   * Put badges in order; one that has the keyboard's focus keeps it.
   * @param {HTMLButtonElement[]} wanted
   */
  #arrange(wanted) {
    const focused = document.activeElement;
    for (const [name, badge] of this.#badges) {
      if (wanted.includes(badge)) continue;
      badge.parentElement?.remove();
      this.#badges.delete(name);
    }
    for (const [place, badge] of wanted.entries()) {
      const item = /** @type {HTMLElement} */ (badge.parentElement);
      if (this.#list.children[place] !== item) this.#list.insertBefore(item, this.#list.children[place] ?? null);
    }
    if (focused instanceof HTMLElement && this.#list.contains(focused)) focused.focus();
  }

  /** Say which feeds are worse, or well again. */
  #sayTurns() {
    const turned = this.#feeds.filter((feed) => stateOf(feed) !== (this.#states.get(feed.name) ?? "fine"));
    this.#states = new Map(this.#feeds.map((feed) => [feed.name, stateOf(feed)]));
    if (turned.length > 0) this.#around.say(turned.slice(0, MAX_SHOWN).map(sentenceOf).join(". "));
  }
}

/** @param {Feed} feed */
function detailsOf(feed) {
  if (feed.columns.length === 0) return sentenceOf(feed);
  const columns = new Intl.ListFormat(locale, { type: "conjunction" }).format(feed.columns);
  return `${sentenceOf(feed)}. ${gettext("It writes: %(columns)s", { columns })}`;
}
