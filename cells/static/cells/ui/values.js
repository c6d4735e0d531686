/** What cells are worth: to add up, as a text, in decimals. */

import { momentOf, parseNumber, textOf } from "../domain/literals.js";
import { isFormula } from "../domain/references.js";
import { MAX_DECIMALS } from "../domain/styles.js";
import { decimalsOf, isOfMoments, LAST_DAY, plainNumber, shownOf, USUAL_DECIMALS, usualCurrency } from "./formats.js";

/** @typedef {import("./formats.js").Cell} Cell */
/** @typedef {import("../domain/styles.js").Style} Style */

/**
 * Return what a cell is worth, for other programs: a date as one is typed, a number with all its digits, a text as it is shown.
 * @param {Cell|undefined} cell
 */
export function valueText(cell) {
  if (cell === undefined) return "";
  const { input, style, value } = cell;
  if (!isFormula(input)) return textOf(input);
  if (typeof value === "number") return isOfMoments(style?.format) ? momentText(value, style.format) : String(value);
  return shownOf(cell)[0];
}

/**
 * @param {number} day
 * @param {"date"|"time"|"datetime"} format
 */
function momentText(day, format) {
  if (day < 0 || day > LAST_DAY) return String(day);
  const [date, time] = new Date(momentOf(day)).toISOString().slice(0, 19).split("T");
  return format === "date" ? date : format === "time" ? time : `${date} ${time}`;
}

/**
 * Return how many decimals a cell shows: what one more or one less starts from.
 * @param {Cell|undefined} cell
 */
export function decimalsShown(cell) {
  const { input = "", style, value } = cell ?? {};
  if (style?.decimals !== undefined) return style.decimals;
  const number = parseNumber(typeof value === "number" ? plainNumber(value) : input);
  if (style?.format === "currency") return decimalsOf(style.currency ?? (number?.currency || usualCurrency));
  if (style?.format === "thousands" || style?.format === "percent") return USUAL_DECIMALS;
  return Math.min(MAX_DECIMALS, number?.decimals ?? 0);
}

/**
 * Return an example of what a format shows, for the menu.
 * @param {Style} style
 */
export function sampleOf(style) {
  const isMoment = isOfMoments(style.format);
  return shownOf({ input: isMoment ? "2026-11-25 14:30" : style.format === "percent" ? "0.1012" : "1000.12", style })[0];
}

/**
 * Return the number that a cell counts as when cells are added up; undefined for texts, dates and times.
 * @param {Cell|undefined} cell
 */
export function numberIn(cell) {
  if (cell === undefined) return undefined;
  if (cell.value !== undefined) return typeof cell.value === "number" ? cell.value : undefined;
  return parseNumber(cell.input)?.value;
}
