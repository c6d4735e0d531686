/** The list of a sheet's versions: a day at a time, each version a button, that which is shown with a form for its name, one that was opened with its edits. */

import { dayOf, exactly, timeOf, timeToTheSecond } from "./ago.js";
import { authorName } from "./change_words.js";
import { element } from "./elements.js";
import { keyOf } from "./time_line.js";
import { before } from "./version_steps.js";
import { gettext, ngettext } from "./words.js";

const MAX_AUTHORS = 4; // named; the others are a number
const MAX_NAME = 100; // characters, the server's limit

/** @typedef {import("./time_line.js").Version} Version */
/**
 * @typedef {object} Around
 * @property {(version: Version|null) => void} choose null: now
 * @property {(version: Version, name: string) => void} rename "": takes the name away
 * @property {() => void} restore what is shown
 * @property {(version: Version) => import("./version_steps.js").Steps|null} stepsOf its edits, if it is opened
 * @property {(version: Version) => void} toggle open it, or close it
 * @property {(version: Version) => void} more ask for older edits of it
 * @property {number} oldest revision that can be looked at
 * @property {readonly import("./change_words.js").Author[]} legend who changed the cells that are marked, in the colours of these
 */

/**
 * Return the list's parts, the newest first.
 * @param {readonly Version[]} versions
 * @param {Version|null} shown null: now
 * @param {boolean} mayEdit
 * @param {Around} around
 */
export function versionList(versions, shown, mayEdit, around) {
  const now = new Date();
  const parts = [];
  let day = "";
  /** @type {HTMLElement|null} */
  let list = element("ul", "version-group");
  list.append(nowItem(shown === null, around));
  parts.push(list);
  for (const version of versions) {
    const its = dayOf(new Date(version.ended_at), now);
    if (its !== day) {
      day = its;
      list = element("ul", "version-group", { "aria-label": its });
      parts.push(element("h3", "version-day", {}, its), list);
    }
    list.append(versionItem(version, shown, mayEdit, around));
  }
  return parts;
}

/**
 * @param {boolean} isShown
 * @param {Around} around
 */
function nowItem(isShown, around) {
  const item = element("li", "version-item");
  const button = element("button", "version", { type: "button", "data-version": "now", "aria-current": String(isShown) });
  button.append(element("span", "version-title", {}, gettext("Now")));
  button.addEventListener("click", () => around.choose(null));
  item.append(button);
  return item;
}

/**
 * Return the button that shows a version, or a part of one.
 * @param {Version} version
 * @param {Version|null} shown
 * @param {Around} around
 */
function versionButton(version, shown, around) {
  const key = keyOf(version);
  const isShown = shown !== null && keyOf(shown) === key;
  const button = element("button", "version", { type: "button", "data-version": key, "aria-current": String(isShown), title: exactly(new Date(version.ended_at)) });
  button.addEventListener("click", () => around.choose(version));
  return button;
}

/**
 * @param {Version} version
 * @param {Version|null} shown
 * @param {boolean} mayEdit
 * @param {Around} around
 */
function versionItem(version, shown, mayEdit, around) {
  const { last, ended_at, name, operations } = version;
  const at = new Date(ended_at);
  const item = element("li", "version-item");
  const button = versionButton(version, shown, around);
  const edits = operations > 0 ? ngettext("%(count)s edit", "%(count)s edits", operations) : "";
  button.append(element("span", "version-title", { dir: "auto" }, name ?? timeOf(at)));
  button.append(element("span", "version-detail", {}, [name && timeOf(at), edits].filter(Boolean).join(" · ")), authorsOf(version));
  const line = element("div", "version-line");
  line.append(button);
  item.append(line);
  if (shown && keyOf(shown) === keyOf(version)) item.append(...legendOf(around), ...(mayEdit ? [nameForm(version, around), restoreButton(around)] : []));
  if (operations === 0) return item; // kept by its name: of its edits nothing is known
  const steps = around.stepsOf(version);
  const label = gettext("Edits of this version: %(when)s", { when: name ?? timeOf(at) });
  const toggle = element("button", "version-toggle", { type: "button", "aria-expanded": String(steps !== null), "aria-label": label, title: gettext("Edits of this version"), "data-toggles": String(last) });
  toggle.addEventListener("click", () => around.toggle(version));
  line.append(toggle);
  if (steps !== null) item.append(stepList(version, steps, label, shown, mayEdit, around));
  return item;
}

/**
 * Return what the bar over the grid has too, for who comes here by the keyboard.
 * @param {Around} around
 */
function restoreButton(around) {
  const button = element("button", "button version-restore", { type: "button" }, gettext("Restore this version"));
  button.addEventListener("click", () => around.restore());
  return button;
}

/**
 * @param {Version} version
 * @param {import("./version_steps.js").Steps} its
 * @param {string} label
 * @param {Version|null} shown
 * @param {boolean} mayEdit
 * @param {Around} around
 */
function stepList(version, { steps, hasMore }, label, shown, mayEdit, around) {
  const list = element("ul", "version-steps", { "aria-label": label });
  const add = (/** @type {HTMLElement} */ made) => {
    const item = element("li", "");
    item.append(made);
    if (made.getAttribute("aria-current") === "true") item.append(...legendOf(around), ...(mayEdit ? [restoreButton(around)] : []));
    list.append(item);
  };
  for (const step of steps.filter(({ last }) => last >= around.oldest)) {
    const button = versionButton(step, shown, around);
    button.append(element("span", "version-detail", {}, timeToTheSecond(new Date(step.ended_at))), authorsOf(step));
    add(button);
  }
  if (hasMore) {
    const more = element("button", "button", { type: "button" }, gettext("Older edits"));
    more.addEventListener("click", () => around.more(version));
    add(more);
  }
  if (version.first > around.oldest) {
    const button = versionButton(before(version), shown, around);
    button.append(element("span", "version-detail", {}, gettext("Before these edits")));
    add(button);
  } else if (!hasMore) {
    list.append(element("li", "versions-none", {}, gettext("Older edits are no longer kept.")));
  }
  return list;
}

/** @param {Version} version */
function authorsOf({ authors }) {
  const line = element("span", "version-authors");
  for (const author of authors.slice(0, MAX_AUTHORS)) {
    const shown = element("span", "version-author", { dir: "auto" }, authorName(author));
    shown.prepend(authorDot(author));
    line.append(shown);
  }
  if (authors.length > MAX_AUTHORS) line.append(gettext("and %(count)s more", { count: authors.length - MAX_AUTHORS }));
  return line;
}

/**
 * Return who is marked by which colour; nothing where nobody is.
 * @param {Around} around
 */
function legendOf({ legend }) {
  if (legend.length === 0) return [];
  const list = element("ul", "version-legend", { "aria-label": gettext("Who changed the marked cells") });
  for (const author of legend) {
    const item = element("li", "", { dir: "auto" }, authorName(author));
    item.prepend(authorDot(author));
    list.append(item);
  }
  return [list];
}

/**
 * Return a dot in an author's colour.
 * @param {import("./change_words.js").Author} author
 */
export function authorDot({ color }) {
  const dot = element("span", "author-dot", { "aria-hidden": "true" });
  if (color && /^#[0-9a-f]{6}$/i.test(color)) dot.style.setProperty("--color", color);
  return dot;
}

/**
 * @param {Version} version
 * @param {Around} around
 */
function nameForm(version, around) {
  const form = element("form", "version-naming");
  const label = gettext("Name of this version");
  const field = element("input", "version-name", { "aria-label": label, placeholder: label, maxlength: String(MAX_NAME), autocomplete: "off", dir: "auto" });
  field.value = version.name ?? "";
  const button = (/** @type {string} */ text, /** @type {"submit"|"button"} */ type) => element("button", "button", { type }, text);
  form.append(field, button(gettext("Save"), "submit"));
  if (version.name !== null) {
    const remove = button(gettext("Remove the name"), "button");
    remove.addEventListener("click", () => around.rename(version, ""));
    form.append(remove);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = field.value.trim();
    if (name !== (version.name ?? "")) around.rename(version, name);
  });
  return form;
}
