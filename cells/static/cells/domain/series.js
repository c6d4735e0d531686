/** How a row of texts goes on: numbers by a constant step, dates by days or months, "Item 1" by one; others are repeated. */

import { parseDate, parseNumber } from "./literals.js";

const NUMBERED = /^([^=].*?\D|\D)(\d{1,15})$/s; // no formula: what its references become is not for a series to say
const ISO_DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const DAY_MS = 86_400_000;
const MAX_DECIMALS = 15;

/** @typedef {(index: number) => string} Continuation the text so many steps after the first */

/**
 * Return what follows `texts`.
 * @param {readonly string[]} texts at least one
 * @param {number} count
 * @param {1|-1} [direction] -1: the texts are in the order of going backwards, from the last to the first
 * @returns {string[]}
 */
export function continueSeries(texts, count, direction = 1) {
  const next = numbers(texts) ?? days(texts, direction) ?? numbered(texts, direction) ?? ((index) => texts[index % texts.length]);
  return Array.from({ length: count }, (_, index) => next(texts.length + index));
}

/**
 * Return the one difference between neighbours; null if there are several.
 * @param {readonly number[]} values
 * @param {number} alone what a single value goes on by
 */
function stepOf(values, alone) {
  if (values.length === 1) return alone;
  const step = values[1] - values[0];
  const tolerance = Math.max(...values.map(Math.abs)) * 1e-12; // 0.3 - 0.2 is not 0.1
  return values.every((value, index) => Math.abs(value - values[0] - index * step) <= tolerance) ? step : null;
}

/**
 * Numbers that look alike: as many decimals, the same signs before and after. One number is repeated.
 * @param {readonly string[]} texts
 * @returns {Continuation|null}
 */
function numbers(texts) {
  const literals = texts.map((text) => parseNumber(text));
  const [first] = literals;
  if (first === undefined || texts.length === 1) return null;
  if (texts.some((text) => /[eE]/.test(text))) return null;
  const scale = first.isPercent ? 100 : 1;
  const isAlike = literals.every((one) => one && one.isPercent === first.isPercent && one.currency === first.currency);
  if (!isAlike) return null;
  const sound = /** @type {import("./literals.js").NumberLiteral[]} */ (literals);
  const values = sound.map(({ value }) => value * scale);
  const step = stepOf(values, 0);
  if (step === null) return null;
  const most = Math.min(MAX_DECIMALS, Math.max(...sound.map(({ decimals }) => decimals)));
  const least = Math.min(...sound.map(({ decimals }) => decimals));
  const isGrouped = sound.some((one) => one.isGrouped);
  const format = new Intl.NumberFormat("en", { minimumFractionDigits: Math.min(least, most), maximumFractionDigits: most, useGrouping: isGrouped });
  const [, , before, after] = /** @type {RegExpExecArray} */ (/^([+-]?)([$€£¥]? ?)[\d.,]+( ?[%€]?)$/.exec(texts[0].trim()));
  return (index) => {
    const value = values[0] + index * step;
    const digits = format.format(Math.abs(value));
    return `${value < 0 && /[1-9]/.test(digits) ? "-" : ""}${before}${digits}${after}`;
  };
}

/**
 * Days at a constant distance, or the same day of months at a constant distance.
 * @param {readonly string[]} texts
 * @param {1|-1} direction
 * @returns {Continuation|null}
 */
function days(texts, direction) {
  const found = texts.map((text) => ISO_DAY.exec(text.trim()));
  if (found.some((one) => one === null) || texts.some((text) => parseDate(text) === undefined)) return null;
  const parts = found.map((one) => /** @type {RegExpExecArray} */ (one).slice(1).map(Number));
  const months = parts.map(([year, month]) => year * 12 + month - 1);
  const monthStep = texts.length > 1 && parts.every(([, , day]) => day === parts[0][2]) ? stepOf(months, 0) : null;
  if (monthStep) return (index) => isoOfMonth(months[0] + index * monthStep, parts[0][2]) ?? texts[index % texts.length];
  const step = stepOf(parts.map(([year, month, day]) => momentOf(year, month, day) / DAY_MS), direction);
  if (step === null) return null;
  const [year, month, day] = parts[0];
  return (index) => isoOf(momentOf(year, month, day) + index * step * DAY_MS) ?? texts[index % texts.length];
}

/**
 * @param {number} year
 * @param {number} month from 1
 * @param {number} day
 */
function momentOf(year, month, day) {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

/**
 * @param {number} moment
 * @returns {string|null} null: beyond what is written with four digits
 */
function isoOf(moment) {
  const at = new Date(moment);
  const year = at.getUTCFullYear();
  return Number.isNaN(year) || year < 0 || year > 9_999 ? null : at.toISOString().slice(0, 10);
}

/**
 * @param {number} months since the year 0
 * @param {number} day a shorter month ends before it
 */
function isoOfMonth(months, day) {
  const last = new Date(momentOf(Math.floor(months / 12), (((months % 12) + 12) % 12) + 2, 0)).getUTCDate();
  return isoOf(momentOf(Math.floor(months / 12), (((months % 12) + 12) % 12) + 1, Math.min(day, last)));
}

/**
 * Texts that differ by a number at their end alone.
 * @param {readonly string[]} texts
 * @param {1|-1} direction
 * @returns {Continuation|null}
 */
function numbered(texts, direction) {
  if (texts.some((text) => parseNumber(text) !== undefined || parseDate(text) !== undefined)) return null;
  const found = texts.map((text) => NUMBERED.exec(text));
  const prefix = found[0]?.[1];
  if (prefix === undefined || found.some((one) => one?.[1] !== prefix)) return null;
  const digits = found.map((one) => /** @type {RegExpExecArray} */ (one)[2]);
  const step = stepOf(digits.map(Number), direction);
  if (step === null) return null;
  const isPadded = digits.some((one) => one.length > 1 && one.startsWith("0"));
  return (index) => `${prefix}${String(Math.abs(Number(digits[0]) + index * step)).padStart(isPadded ? digits[0].length : 1, "0")}`;
}
