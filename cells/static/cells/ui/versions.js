/** Version history: a panel with the sheet's versions beside the grid, which shows the one that is chosen, to be looked at. */

import { formatRange } from "../domain/addresses.js";
import { dayAndTime, exactly } from "./ago.js";
import { authorName } from "./change_words.js";
import { element } from "./elements.js";
import { NoPast, askForJson, askForState, pruned, sendName } from "./history_asking.js";
import { askToForget, askToRestore } from "./restoring.js";
import { ThenBar } from "./then_bar.js";
import { TimeLine, keyOf } from "./time_line.js";
import { versionList } from "./version_items.js";
import { VersionSteps, before } from "./version_steps.js";
import { gettext, ngettext } from "./words.js";

const REFRESH_MS = 3_000; // how late the panel may hear of an edit
const PAGES_AT_ONCE = 10; // looked through for a version with a name

/** @typedef {import("./origins.js").Mark} Mark */
/** @typedef {import("./change_words.js").Author & {color: string}} PastAuthor */
/** @typedef {import("./then_or_now.js").Then} Then */
/** @typedef {import("./time_line.js").Version} Version */
/** @typedef {Then & {read(body: ReadableStream<Uint8Array>): Promise<void>, authors: readonly PastAuthor[], changedCount: number, firstChanged: [row_id: number, column_id: number]|null}} Past */
/**
 * @typedef {object} Around
 * @property {HTMLElement} deck what the panel stands in, beside the stage
 * @property {HTMLElement} stage what the grid lies in
 * @property {HTMLElement} host the grid
 * @property {HTMLElement} button opens the panel, too
 * @property {string} token against forged requests
 * @property {import("./then_or_now.js").ThenOrNow} model
 * @property {import("./grid.js").Grid} grid
 * @property {(markOf: (author: PastAuthor) => Mark) => Past} newPast
 * @property {() => void} turned the past is shown, or no longer
 * @property {(sentence: string) => void} say politely, to a screen reader
 * @property {(sentence: string) => void} tell
 * @property {import("./restoring.js").Restores} restores
 */

export class Versions {
  #around;
  #bar;
  #line = new TimeLine();
  #steps = new VersionSteps();
  #panel = element("aside", "versions", { "aria-labelledby": "versions-title", "data-region": "", tabindex: "-1", hidden: "" });
  #isNamedOnly = element("input", "", { type: "checkbox" });
  #status = element("p", "versions-status", { role: "status" });
  #list = element("div", "versions-list");
  #older = element("button", "button versions-older", { type: "button", hidden: "" }, gettext("Older versions"));
  /** @type {Version|null} */ #shown = null;
  /** @type {readonly PastAuthor[]} of the cells that are marked in it */ #legend = [];
  /** @type {AbortController|null} of the state that is on its way */ #coming = null;
  #isAsking = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #refreshing;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
    this.#bar = new ThenBar(around.stage, {
      leave: () => this.leave(),
      restore: () => void this.#restore(false),
      restoreSelection: () => void this.#restore(true),
    });
    this.#build();
    this.lineChanged();
    around.button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    for (const kind of ["online", "offline"]) addEventListener(kind, () => this.lineChanged());
    document.addEventListener("keydown", (event) => this.#called(event), true);
    document.addEventListener("keydown", (event) => this.#escaped(event));
    for (const kind of /** @type {const} */ (["paste", "cut", "dblclick", "keydown"])) around.host.addEventListener(kind, (event) => this.#tried(event));
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  open() {
    this.#around.grid.finish();
    this.#setOpen(true);
    (this.#current ?? this.#panel).focus();
    void this.#ask("newest");
  }

  /**
   * Show the sheet as it was before a change.
   * @param {number} revision
   * @param {string} started_at when it was
   */
  showBefore(revision, started_at) {
    if (!this.isOpen) {
      this.#setOpen(true);
      void this.#ask("newest");
    }
    void this.#choose(before({ first: revision, started_at }));
  }

  close() {
    this.leave();
    clearTimeout(this.#refreshing);
    this.#refreshing = undefined;
    this.#setOpen(false);
    this.#around.grid.focus();
  }

  /** Show the sheet as it is now. */
  leave() {
    this.#coming?.abort();
    this.#coming = null;
    this.#say("");
    if (!this.#around.model.isPast) return;
    this.#turn(null, null);
    if (this.#bar.hide()) this.#around.grid.focus();
    this.#around.say(gettext("The sheet as it is now."));
  }

  /** The sheet has changed: so has the list, soon. */
  changed() {
    if (!this.isOpen) return;
    this.#refreshing ??= setTimeout(() => {
      this.#refreshing = undefined;
      if (document.visibilityState === "visible" && !this.#isAsking) void this.#ask("newest");
      else this.changed();
    }, REFRESH_MS);
  }

  /**
   * The past is for those who may edit. A restore is only offered while it would be committed now: later it would replace
   * what others do meanwhile.
   */
  lineChanged() {
    const { mayEditNow } = this.#around.model;
    this.#around.button.hidden = !mayEditNow;
    if (!mayEditNow && this.isOpen) this.close();
    const isGone = this.#shown !== null && this.#line.isGone(this.#shown);
    const why = isGone ? gettext("This version is no longer kept, and cannot be restored: the history was pruned while you looked at it.") : this.#isOnline ? "" : needsConnection();
    this.#bar.offer(mayEditNow && why === "", mayEditNow ? why : "");
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll(".version-restore"))) button.hidden = why !== "";
  }

  /** The browser may know it before the socket does. */
  get #isOnline() {
    return this.#around.model.isOnline && navigator.onLine;
  }

  #build() {
    const head = element("div", "versions-head");
    const close = element("button", "button button-quiet", { type: "button", "aria-label": gettext("Close"), title: gettext("Close") }, "✕");
    close.addEventListener("click", () => this.close());
    head.append(element("h2", "", { id: "versions-title" }, gettext("Version history")), close);
    const choice = element("label", "versions-choice");
    choice.append(this.#isNamedOnly, element("span", "", {}, gettext("Named versions only")));
    this.#isNamedOnly.addEventListener("change", () => {
      this.#paint();
      if (this.#isNamedOnly.checked) void this.#lookForNames();
    });
    this.#older.addEventListener("click", () => void (this.#isNamedOnly.checked ? this.#lookForNames() : this.#ask("older")));
    this.#panel.addEventListener("keydown", (event) => this.#moved(event));
    this.#panel.append(head, choice, this.#status, this.#list, this.#older);
    this.#around.deck.append(this.#panel);
  }

  /** @param {boolean} isOpen */
  #setOpen(isOpen) {
    this.#panel.hidden = !isOpen;
    this.#around.button.setAttribute("aria-expanded", String(isOpen));
  }

  /**
   * Ask for the newest versions, or for more of the older ones; say whether they have come.
   * @param {"newest"|"older"} which
   */
  async #ask(which) {
    if (this.#isAsking) return false;
    this.#isAsking = true;
    const isFirst = this.#line.versions.length === 0;
    if (isFirst) this.#say(gettext("Loading…"));
    try {
      const page = await askForJson(which === "older" ? `?before=${this.#line.before}` : "");
      if (which === "older") this.#line.takeOlder(page);
      else this.#line.takeNewest(page);
      for (const version of this.#line.versions) if (this.#steps.isStale(version)) void this.#askForSteps(version, "newest");
      if (isFirst && this.#status.textContent === gettext("Loading…") && !this.#coming) this.#say("");
      this.#paintGently();
      if (isFirst && document.activeElement === this.#panel) this.#buttons[0]?.focus();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    } finally {
      this.#isAsking = false;
    }
  }

  /**
   * @param {Version} version
   * @param {"newest"|"older"} which
   */
  async #askForSteps(version, which) {
    try {
      const page = await askForJson(this.#steps.queryFor(version, which));
      this.#steps.take(version, which, page);
      this.#line.reaches(page.oldest);
      if (this.#line.isGone(version)) throw pruned();
    } catch (error) {
      return this.#failed(error);
    }
    this.#paintGently();
  }

  /** @param {Version} version */
  #toggle(version) {
    if (this.#steps.of(version) === null) return void this.#askForSteps(version, "newest");
    this.#steps.close(version);
    this.#paintGently();
  }

  /** Versions with names may be far back: ask for some pages more, until there is one that is not shown yet. */
  async #lookForNames() {
    const count = () => this.#line.versions.filter(({ name }) => name !== null).length;
    const before = count();
    for (let page = 0; page < PAGES_AT_ONCE && this.#line.before !== null && this.#isNamedOnly.checked; page += 1) {
      this.#say(gettext("Loading…"));
      if (!(await this.#ask("older"))) return;
      if (count() > before) break;
    }
    this.#say("");
  }

  /** The button of what is shown. */
  get #current() {
    return this.#buttons.find((button) => button.getAttribute("aria-current") === "true");
  }

  get #buttons() {
    return /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll(".version")]);
  }

  #paint() {
    const isNamedOnly = this.#isNamedOnly.checked;
    const versions = this.#line.versionsBeside(this.#shown).filter(({ name }) => name !== null || !isNamedOnly);
    const focused = document.activeElement;
    const isWithin = this.#list.contains(focused);
    const { version: at, toggles } = focused instanceof HTMLElement ? focused.dataset : /** @type {DOMStringMap} */ ({});
    const parts = versionList(versions, this.#shown, this.#around.model.mayEditNow, {
      choose: (version) => void this.#choose(version),
      rename: (version, name) => void this.#rename(version, name),
      restore: () => void this.#restore(false),
      stepsOf: (version) => this.#steps.of(version),
      toggle: (version) => this.#toggle(version),
      more: (version) => void this.#askForSteps(version, "older"),
      oldest: this.#line.oldest,
      legend: this.#legend,
    });
    if (!isNamedOnly && this.#line.before === null && this.#line.oldest > 0) parts.push(element("p", "versions-none", {}, gettext("Older versions are no longer kept, but for those with a name.")));
    if (isNamedOnly && versions.length === 0) parts.push(element("p", "versions-none", {}, gettext("No version has a name yet.")));
    this.#list.replaceChildren(...parts);
    this.lineChanged();
    this.#older.hidden = this.#line.before === null;
    if (!isWithin) return;
    const toggle = toggles === undefined ? null : /** @type {HTMLElement|null} */ (this.#list.querySelector(`[data-toggles="${toggles}"]`));
    (toggle ?? this.#buttons.find(({ dataset }) => dataset.version === at) ?? this.#current ?? this.#panel).focus();
  }

  /** Paint, unless somebody is typing a name. */
  #paintGently() {
    const field = this.#list.querySelector("input");
    if (!field || field !== document.activeElement || field.value === (this.#shown?.name ?? "")) this.#paint();
  }

  /** @param {Version|null} version */
  async #choose(version) {
    if (version === null) return this.leave();
    this.#around.grid.finish();
    this.#coming?.abort();
    const coming = (this.#coming = new AbortController());
    const { first, through } = version;
    this.#say(gettext("Loading…"));
    const past = this.#around.newPast((author) => ({ kind: "changed", says: gettext("Changed in this version by %(name)s", { name: authorName(author) }), color: author.color }));
    try {
      await askForState(through, first - 1, coming.signal, (body) => past.read(body));
    } catch (error) {
      if (coming.signal.aborted) return;
      this.#coming = null;
      return this.#failed(error);
    }
    if (this.#coming !== coming) return;
    this.#coming = null;
    this.#turn(version, past);
    this.#say(past.changedCount > 0 ? ngettext("%(count)s cell was changed in this version.", "%(count)s cells were changed in this version.", past.changedCount) : "");
    this.#around.say(this.#sentence(version));
    if (past.firstChanged) this.#around.grid.reveal(...past.firstChanged);
  }

  /**
   * @param {Version|null} version null: now
   * @param {Past|null} past
   */
  #turn(version, past) {
    const { model, grid, stage } = this.#around;
    this.#shown = version;
    this.#legend = past?.authors ?? [];
    model.show(past);
    stage.classList.toggle("is-past", past !== null);
    if (version) {
      this.#bar.show(this.#sentence(version));
      this.lineChanged();
    }
    grid.reshape();
    this.#around.turned();
    this.#paint();
  }

  /** @param {Version} version */
  #sentence(version) {
    if (version.part === "before") return gettext("The sheet as it was before the edit of %(when)s.", { when: whenOf(version) });
    return gettext("The sheet as it was: %(when)s.", { when: whenOf(version) });
  }

  /**
   * @param {Version} version
   * @param {string} name
   */
  async #rename(version, name) {
    const isGone = version.last < this.#line.oldest; // the log is pruned beyond it
    if (isGone && name === "" && !(await askToForget(version.name ?? ""))) return;
    try {
      await sendName(version.last, name, this.#around.token, isGone && name === "");
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (isGone && name === "") {
      this.#line.forget(version.last);
      this.leave();
      this.#paint();
      return this.#say(gettext("The version was removed."));
    }
    this.#line.named(version.last, name || null);
    if (this.#shown && keyOf(this.#shown) === keyOf(version)) {
      this.#shown = { ...version, name: name || null };
      this.#bar.show(this.#sentence(this.#shown));
    }
    this.#paint();
    this.#say(name ? gettext("The version is called “%(name)s” now.", { name }) : gettext("The version has no name any more."));
  }

  /** @param {boolean} isSelection */
  async #restore(isSelection) {
    const version = this.#shown;
    if (version === null) return;
    const { grid, model } = this.#around;
    const { top, left, bottom, right } = grid.selection.range;
    const [one, other] = [[top, left], [bottom, right]].map(([row, column]) => [model.rows.idAt(row) ?? -1, model.columns.idAt(column) ?? -1]);
    const when = whenOf(version);
    if (!(await askToRestore(when, isSelection ? formatRange(grid.selection.range) : null)) || this.#shown?.last !== version.last) return;
    if (!this.#isOnline) return this.#around.tell(needsConnection());
    this.leave();
    const range = /** @type {[number, number, number, number]} */ ([...one, ...other]);
    const id = model.submit({ kind: "restore", revision: version.last, ...(isSelection ? { range } : {}) });
    this.#around.restores.began(id, when);
  }

  /** @param {string} sentence */
  #say(sentence) {
    if (this.#status.textContent !== sentence) this.#status.textContent = sentence;
  }

  /** @param {unknown} error */
  #failed(error) {
    if (!(error instanceof NoPast)) throw error;
    this.#say(error.message);
    if (error.code === "pruned") void this.#ask("newest"); // the list goes without it
  }

  /** @param {KeyboardEvent} event */
  #called(event) {
    const isIts = (event.ctrlKey || event.metaKey) && event.altKey && event.shiftKey && event.code === "KeyH";
    if (!isIts || !this.#around.model.mayEditNow || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    this.open();
  }

  /** @param {KeyboardEvent} event */
  #escaped({ key, target }) {
    if (key !== "Escape" || !this.isOpen || document.querySelector("dialog[open]")) return;
    const isWithin = this.#panel.contains(/** @type {Node} */ (target));
    if (this.#around.model.isPast) {
      if (isWithin || this.#around.stage.contains(/** @type {Node} */ (target))) this.leave();
    } else if (isWithin) this.close();
  }

  /**
   * Arrow keys go from version to version, and open one, or close it.
   * @param {KeyboardEvent} event
   */
  #moved(event) {
    const buttons = this.#buttons;
    const at = buttons.indexOf(/** @type {HTMLElement} */ (event.target));
    if (at >= 0 && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      const toggle = /** @type {HTMLElement|null} */ (buttons[at].parentElement?.querySelector(".version-toggle"));
      if (toggle?.getAttribute("aria-expanded") === String(event.key === "ArrowLeft")) toggle.click();
      event.preventDefault();
      return;
    }
    const to = /** @type {Record<string, number>} */ ({ ArrowDown: Math.min(at + 1, buttons.length - 1), ArrowUp: Math.max(at - 1, 0), Home: 0, End: buttons.length - 1 })[event.key];
    if (at < 0 || to === undefined) return;
    buttons[to].focus();
    event.preventDefault();
  }

  /**
   * Say why what was tried is not done.
   * @param {Event} event
   */
  #tried(event) {
    const isCommand = event instanceof KeyboardEvent && (event.ctrlKey || event.metaKey);
    const isEdit = !(event instanceof KeyboardEvent) || ["Delete", "Backspace", "F2"].includes(event.key) || (isCommand && ["z", "y"].includes(event.key.toLowerCase()));
    if (this.#around.model.isPast && isEdit) this.#around.tell(this.#around.model.refusal);
  }
}

function needsConnection() {
  return gettext("To restore needs a connection, and there is none now. Try again when you are back online.");
}

/** @param {Version} version */
function whenOf({ name, ended_at, part }) {
  const at = part ? exactly(new Date(ended_at)) : dayAndTime(new Date(ended_at));
  return name === null ? at : gettext("“%(name)s”, %(when)s", { name, when: at });
}
