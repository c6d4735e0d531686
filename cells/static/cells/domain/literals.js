/**
 * What an input means: a number, a date, a time, true or false, or a text; enough to align, format and add it up.
 *
 * One that begins with an apostrophe is the text behind it, whatever that looks like.
 */

const NUMBER = /^([+-]?)([$€£¥]?) ?((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)([eE][+-]?\d+)? ?([%€]?)$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?Z?)?$/;
const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?$/;
const MAX_CHARACTERS = 40; // of anything but text
const DAY_MS = 86_400_000;
const EPOCH_MS = Date.UTC(1899, 11, 30); // day 0 of spreadsheets
const CURRENCIES = /** @type {Record<string, string>} */ ({ $: "USD", "€": "EUR", "£": "GBP", "¥": "JPY" });

export const TEXT_MARK = "'";

/**
 * @typedef {object} NumberLiteral
 * @property {number} value
 * @property {number} decimals as they were typed
 * @property {boolean} isGrouped 1,000
 * @property {boolean} isPercent 12%, whose value is 0.12
 * @property {string} currency ISO 4217; "" for none
 */
/** @typedef {{day: number, hasDate: boolean, hasTime: boolean, hasSeconds: boolean}} DateLiteral `day`: days since 30 December 1899, a time is a part of one */

/**
 * Return what an input says as a text: without the apostrophe that makes it one.
 * @param {string} input
 */
export function textOf(input) {
  return input.startsWith(TEXT_MARK) ? input.slice(1) : input;
}

/**
 * @param {string} text
 * @returns {NumberLiteral|undefined}
 */
export function parseNumber(text) {
  if (text.length > MAX_CHARACTERS) return undefined;
  const found = NUMBER.exec(text.trim());
  if (found === null) return undefined;
  const [, sign, before, digits, exponent = "", after] = found;
  const isPercent = after === "%";
  // By its digits, for 0.07 is not 7 / 100 in floating point everywhere.
  const power = Number(exponent.slice(1)) - (isPercent ? 2 : 0);
  const value = Number(`${sign}${digits.replaceAll(",", "")}e${power}`);
  if (!Number.isFinite(value)) return undefined;
  const fraction = digits.split(".")[1] ?? "";
  return {
    value,
    decimals: exponent ? 0 : fraction.length,
    isGrouped: digits.includes(","),
    isPercent,
    currency: CURRENCIES[before] ?? CURRENCIES[after] ?? "",
  };
}

/**
 * Return the day that a date, a time, or both of them name; undefined for others and for days that no calendar has.
 * @param {string} text
 * @returns {DateLiteral|undefined}
 */
export function parseDate(text) {
  if (text.length > MAX_CHARACTERS) return undefined;
  const trimmed = text.trim();
  const date = DATE.exec(trimmed);
  const time = date ? date.slice(3) : TIME.exec(trimmed);
  if (time === null) return undefined;
  const [hours, minutes, seconds] = [time[1], time[2], time[3]].map((part) => Number(part ?? 0));
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  let days = 0;
  if (date) {
    const [year, month, day] = date.slice(1, 4).map(Number);
    const at = new Date(0);
    at.setUTCFullYear(year, month - 1, day);
    if (year === 0 || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day) return undefined;
    days = (at.getTime() - EPOCH_MS) / DAY_MS;
  }
  const fraction = Number(`0.${time[4] ?? 0}`);
  return {
    day: days + (hours * 3_600 + minutes * 60 + seconds + fraction) / 86_400,
    hasDate: date !== null,
    hasTime: time[1] !== undefined,
    hasSeconds: time[3] !== undefined,
  };
}

/**
 * Return the moment that a day of spreadsheets is, in the milliseconds of JavaScript.
 * @param {number} day
 */
export function momentOf(day) {
  return EPOCH_MS + Math.round(day * DAY_MS);
}

/**
 * @param {string} text
 * @returns {"empty"|"number"|"boolean"|"text"}
 */
export function kindOf(text) {
  if (text === "") return "empty";
  if (text.length > MAX_CHARACTERS) return "text";
  const trimmed = text.trim();
  if (NUMBER.test(trimmed) || DATE.test(trimmed) || TIME.test(trimmed)) return "number";
  if (/^(true|false)$/i.test(trimmed)) return "boolean";
  return "text";
}
