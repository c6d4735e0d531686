/** The page's sentences in the reader's language: Django's catalog if the page brought one, else as they are written. */

/**
 * @typedef {object} Catalog what Django's JavaScriptCatalog leaves behind
 * @property {(text: string) => string} gettext
 * @property {(one: string, many: string, count: number) => string} ngettext
 * @property {(context: string, text: string) => string} pgettext
 */

/** @returns {Catalog|undefined} */
function catalog() {
  return /** @type {{django?: Catalog}} */ (globalThis).django;
}

/** The language that numbers and dates are written in, too. */
export const locale = globalThis.document?.documentElement.lang || "en";

/**
 * Return a sentence in the reader's language.
 * @param {string} text in English, its places named: `Go to %(name)s`
 * @param {Record<string, string|number>} [values] what goes into the places; numbers as the language writes them
 */
export function gettext(text, values = {}) {
  return filled(catalog()?.gettext(text) ?? text, values);
}

/**
 * Return a word that means several things, in the reader's language.
 * @param {string} context which of them is meant: "key" for what is written on a keyboard
 * @param {string} text
 */
export function pgettext(context, text) {
  return catalog()?.pgettext(context, text) ?? text;
}

/**
 * Return a sentence about so many, in the reader's language.
 * @param {string} one
 * @param {string} many
 * @param {number} count also `%(count)s` in the sentence
 * @param {Record<string, string|number>} [values]
 */
export function ngettext(one, many, count, values = {}) {
  const text = catalog()?.ngettext(one, many, count) ?? (count === 1 ? one : many);
  return filled(text, { count, ...values });
}

/**
 * @param {string} text
 * @param {Record<string, string|number>} values
 */
function filled(text, values) {
  return text.replace(/%\((\w+)\)s/g, (place, name) => {
    const value = values[name] ?? place;
    return typeof value === "number" ? value.toLocaleString(locale) : value;
  });
}
