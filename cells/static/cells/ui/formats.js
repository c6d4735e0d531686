/** What a cell shows: its text as typed, or what its number format makes of the number, date or time in it. */

import { kindOf, momentOf, parseDate, parseNumber, textOf } from "../domain/literals.js";
import { isFormula } from "../domain/references.js";
import { MAX_DECIMALS } from "../domain/styles.js";
import { locale } from "./words.js";

const MAX_SHOWN_CHARACTERS = 500; // of a cell: no column is wide enough for more
const MAX_KNOWN = 5_000; // texts that a style remembers: some screens full of cells
export const USUAL_DECIMALS = 2; // as others show thousands and percent, so that a column of them is aligned
export const LAST_DAY = 2_958_465; // 31 December 9999

/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {import("../domain/styles.js").Format} Format */
/** @typedef {"empty"|"number"|"boolean"|"error"|"text"|"pending"} Kind pending: a formula that is still being calculated */
/** @typedef {{input: string, style?: Style, value?: unknown}} Cell */
/** @typedef {readonly [text: string, kind: Kind]} Shown */

/** The currency of who says nothing else, by what the reader's language is mostly paid in. */
export const usualCurrency = currencyOf(locale);

/**
 * @param {string} language
 */
export function currencyOf(language) {
  const [tongue, region = ""] = language.split("-");
  if (region.toUpperCase() === "GB") return "GBP";
  if (region.toUpperCase() === "CH") return "CHF";
  return tongue === "en" ? "USD" : "EUR";
}

/** @type {Map<string, Intl.NumberFormat|Intl.DateTimeFormat>} they are dear to make, and cheap to use again */
const formatters = new Map();

/**
 * @param {Intl.NumberFormatOptions} options
 * @returns {Intl.NumberFormat}
 */
function numbers(options) {
  const key = `${options.style} ${options.currency} ${options.useGrouping} ${options.minimumFractionDigits} ${options.maximumFractionDigits}`;
  if (!formatters.has(key)) formatters.set(key, new Intl.NumberFormat(locale, options));
  return /** @type {Intl.NumberFormat} */ (formatters.get(key));
}

/**
 * @param {"medium"|undefined} dateStyle
 * @param {"short"|"medium"|undefined} timeStyle
 * @returns {Intl.DateTimeFormat}
 */
function moments(dateStyle, timeStyle) {
  const key = `${dateStyle} ${timeStyle}`;
  if (!formatters.has(key)) formatters.set(key, new Intl.DateTimeFormat(locale, { dateStyle, timeStyle, timeZone: "UTC" }));
  return /** @type {Intl.DateTimeFormat} */ (formatters.get(key));
}

/**
 * Return the decimals that a currency has.
 * @param {string} currency
 */
export function decimalsOf(currency) {
  return numbers({ style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? USUAL_DECIMALS;
}

/**
 * @param {number} number
 * @param {Format} format
 * @param {number|undefined} decimals
 * @param {string} currency
 */
function formatNumber(number, format, decimals, currency) {
  const digits = (/** @type {number} */ usual) => ({ minimumFractionDigits: decimals ?? usual, maximumFractionDigits: decimals ?? usual });
  switch (format) {
    case "thousands": return numbers({ useGrouping: true, ...digits(USUAL_DECIMALS) }).format(number);
    case "percent": return numbers({ style: "percent", useGrouping: true, ...digits(USUAL_DECIMALS) }).format(number);
    case "currency": return numbers({ style: "currency", currency, ...digits(decimalsOf(currency)) }).format(number);
    default: return numbers({ useGrouping: false, minimumFractionDigits: decimals ?? 0, maximumFractionDigits: decimals ?? MAX_DECIMALS }).format(number);
  }
}

/**
 * @param {number} day
 * @param {"date"|"time"|"datetime"} format
 * @param {boolean} hasSeconds
 */
function formatMoment(day, format, hasSeconds) {
  const clock = hasSeconds ? "medium" : "short";
  const formatter = moments(format === "time" ? undefined : "medium", format === "date" ? undefined : clock);
  return formatter.format(momentOf(day));
}

/** @type {(format: Format|undefined) => format is "date"|"time"|"datetime"} */
export const isOfMoments = (format) => format === "date" || format === "time" || format === "datetime";

/**
 * Return what a style with a format or decimals makes of a text; undefined if it has no use for it.
 * @param {string} text
 * @param {Style} style
 */
function formatText(text, { format, decimals, currency }) {
  const number = parseNumber(text);
  const date = number === undefined ? parseDate(text) : undefined;
  if (number === undefined && date === undefined) return undefined;
  if (isOfMoments(format)) {
    const day = number?.value ?? date?.day ?? 0;
    return day < 0 || day > LAST_DAY ? undefined : formatMoment(day, format, date?.hasSeconds ?? !Number.isInteger(day * 1_440));
  }
  if (number === undefined) return format === undefined ? undefined : formatNumber(date?.day ?? 0, format, decimals, currency ?? usualCurrency);
  const { value, isPercent, isGrouped } = number;
  const own = isPercent ? "percent" : number.currency ? "currency" : isGrouped ? "thousands" : "plain";
  return formatNumber(value, format ?? own, decimals, currency ?? (number.currency || usualCurrency));
}

/** @type {WeakMap<Style, Map<string, Shown>>} */
const known = new WeakMap();

/**
 * @param {string} input
 * @param {Style|undefined} style
 * @returns {Shown}
 */
function shownOfInput(input, style) {
  if (style === undefined || (style.format === undefined && style.decimals === undefined)) {
    return [textOf(input).slice(0, MAX_SHOWN_CHARACTERS), kindOf(input)];
  }
  let texts = known.get(style);
  if (texts === undefined) known.set(style, (texts = new Map()));
  let shown = texts.get(input);
  if (shown === undefined) {
    const text = formatText(input, style);
    shown = text === undefined ? [textOf(input).slice(0, MAX_SHOWN_CHARACTERS), kindOf(input)] : [text, "number"];
    if (texts.size >= MAX_KNOWN) texts.clear();
    texts.set(input, shown);
  }
  return shown;
}

/** @type {Shown} */
const NOTHING = ["", "empty"];
/** @type {Shown} */
const PENDING = ["", "pending"];

/**
 * Return what a cell shows, and what kind of thing that is.
 * @param {Cell|undefined} cell
 * @returns {Shown}
 */
export function shownOf(cell) {
  if (cell === undefined) return NOTHING;
  const { input, style, value } = cell;
  if (value === undefined) return isFormula(input) ? PENDING : shownOfInput(input, style);
  if (typeof value === "number") return shownOfInput(plainNumber(value), style);
  if (typeof value === "boolean") return [value ? "TRUE" : "FALSE", "boolean"];
  if (value !== null && typeof value === "object" && "error" in value) return [String(value.error), "error"];
  return [String(value ?? "").slice(0, MAX_SHOWN_CHARACTERS), "text"];
}

/**
 * Return a calculated number without what floating point made of its end: 0.1 + 0.2 is 0.3.
 * @param {number} value
 */
export function plainNumber(value) {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return String(Number(size >= 1e-5 && size < 1e15 ? value.toFixed(MAX_DECIMALS) : value.toPrecision(MAX_DECIMALS)));
}
