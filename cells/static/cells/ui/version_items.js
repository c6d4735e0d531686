/** The list of a sheet's versions: a day at a time, each version a button, that which is shown with a form for its name. */

import { dayOf, exactly, timeOf } from "./ago.js";
import { authorName } from "./change_words.js";
import { element } from "./elements.js";
import { gettext, ngettext } from "./words.js";

const MAX_AUTHORS = 4; // named; the others are a number
const MAX_NAME = 100; // characters, the server's limit

/** @typedef {import("./time_line.js").Version} Version */
/**
 * @typedef {object} Around
 * @property {(version: Version|null) => void} choose null: now
 * @property {(version: Version, name: string) => void} rename "": takes the name away
 */

/**
 * Return the list's parts, the newest first.
 * @param {readonly Version[]} versions
 * @param {number|null} shown the newest revision of the version that is shown; null: now
 * @param {boolean} mayName
 * @param {Around} around
 */
export function versionList(versions, shown, mayName, around) {
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
    list.append(versionItem(version, version.last === shown, mayName, around));
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
 * @param {Version} version
 * @param {boolean} isShown
 * @param {boolean} mayName
 * @param {Around} around
 */
function versionItem(version, isShown, mayName, around) {
  const { last, ended_at, name, operations } = version;
  const at = new Date(ended_at);
  const item = element("li", "version-item");
  const button = element("button", "version", { type: "button", "data-version": String(last), "aria-current": String(isShown), title: exactly(at) });
  const edits = operations > 0 ? ngettext("%(count)s edit", "%(count)s edits", operations) : "";
  button.append(element("span", "version-title", { dir: "auto" }, name ?? timeOf(at)));
  button.append(element("span", "version-detail", {}, [name && timeOf(at), edits].filter(Boolean).join(" · ")), authorsOf(version));
  button.addEventListener("click", () => around.choose(version));
  item.append(button);
  if (isShown && mayName) item.append(nameForm(version, around));
  return item;
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
