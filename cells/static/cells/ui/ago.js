/** Moments of the past as people call them. */

import { locale } from "./words.js";

const DAY_MS = 86_400_000;

/** @typedef {[count: number, unit: "second"|"minute"|"hour"|"day"]} Time */

/**
 * @param {number} seconds
 * @returns {Time}
 */
export function inUnits(seconds) {
  if (seconds < 60) return [seconds, "second"];
  if (seconds < 3_600) return [Math.floor(seconds / 60), "minute"];
  if (seconds < 2 * 86_400) return [Math.floor(seconds / 3_600), "hour"];
  return [Math.floor(seconds / 86_400), "day"];
}

/**
 * Return how long ago a moment was: "5 minutes ago".
 * @param {Date} at
 * @param {Date} now
 */
export function agoOf(at, now) {
  const [count, unit] = inUnits(Math.max(0, Math.round((now.getTime() - at.getTime()) / 1_000)));
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-count, unit);
}

/**
 * Return a moment to the second.
 * @param {Date} at
 */
export function exactly(at) {
  return at.toLocaleString(locale, { dateStyle: "full", timeStyle: "medium" });
}

/**
 * Return a moment to the minute, with its day.
 * @param {Date} at
 */
export function dayAndTime(at) {
  return at.toLocaleString(locale, { dateStyle: "medium", timeStyle: "short" });
}

/**
 * Return a moment's time of the day.
 * @param {Date} at
 */
export function timeOf(at) {
  return at.toLocaleTimeString(locale, { timeStyle: "short" });
}

/**
 * Return a moment's time of the day, to the second.
 * @param {Date} at
 */
export function timeToTheSecond(at) {
  return at.toLocaleTimeString(locale, { timeStyle: "medium" });
}

/**
 * Return how a moment's day is called: "today", "yesterday", else its date.
 * @param {Date} at
 * @param {Date} now
 */
export function dayOf(at, now) {
  const midnight = (/** @type {Date} */ date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  const days = Math.round((midnight(now) - midnight(at)) / DAY_MS);
  if (days === 0 || days === 1) return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-days, "day");
  return at.toLocaleDateString(locale, { dateStyle: "full" });
}
