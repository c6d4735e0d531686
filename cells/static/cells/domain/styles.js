/** How a cell looks: the wire's `style` object, what a change makes of it, and one object for all cells that look alike. */

/** @typedef {"left"|"center"|"right"} Align */
/** @typedef {"plain"|"thousands"|"currency"|"percent"|"date"|"time"|"datetime"} Format */
/**
 * @typedef {object} Style a key that is absent has its default
 * @property {true} [bold]
 * @property {true} [italic]
 * @property {true} [strike]
 * @property {string} [color] of the text: #rrggbb
 * @property {string} [fill] of the ground: #rrggbb
 * @property {Align} [align]
 * @property {true} [wrap]
 * @property {Format} [format]
 * @property {number} [decimals]
 * @property {string} [currency] three capital letters (ISO 4217)
 */
/** @typedef {{[Key in keyof Style]?: Style[Key]|null}} StyleChanges null takes a key away */

export const MAX_DECIMALS = 10;

const MAX_KNOWN = 20_000; // sheets have a few dozen; a painted picture must not fill the memory

/** @type {(value: unknown) => boolean} */
const isTrue = (value) => value === true;
/** @type {(value: unknown) => boolean} */
const isColor = (value) => typeof value === "string" && /^#[0-9a-f]{6}$/.test(value);
/** @type {(...known: string[]) => (value: unknown) => boolean} */
const oneOf = (...known) => (value) => known.includes(/** @type {string} */ (value));

/** @type {Record<keyof Style, (value: unknown) => boolean>} in the order that styles are written in */
const KEYS = {
  bold: isTrue,
  italic: isTrue,
  strike: isTrue,
  color: isColor,
  fill: isColor,
  align: oneOf("left", "center", "right"),
  wrap: isTrue,
  format: oneOf("plain", "thousands", "currency", "percent", "date", "time", "datetime"),
  decimals: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_DECIMALS,
  currency: (value) => typeof value === "string" && /^[A-Z]{3}$/.test(value),
};

/** @type {Map<string, Style|undefined>} by JSON */
const known = new Map();

/**
 * Return the style that is in `raw`, without keys that are unknown or broken; undefined if nothing is left. Equal styles
 * are one frozen object, so that whoever paints may remember by it what it worked out.
 * @param {unknown} raw
 * @returns {Style|undefined}
 */
export function cleanStyle(raw) {
  if (typeof raw !== "object" || raw === null) return undefined;
  const text = JSON.stringify(raw);
  if (known.has(text)) return known.get(text);
  const given = /** @type {Record<string, unknown>} */ (raw);
  const kept = Object.entries(KEYS).filter(([key, isSound]) => isSound(given[key]));
  const style = /** @type {Style} */ (Object.fromEntries(kept.map(([key]) => [key, given[key]])));
  const canonical = JSON.stringify(style);
  if (known.size > MAX_KNOWN) known.clear();
  if (!known.has(canonical)) known.set(canonical, kept.length === 0 ? undefined : Object.freeze(style));
  known.set(text, known.get(canonical));
  return known.get(canonical);
}

/**
 * Return what `changes` make of a style; undefined if nothing is left of it.
 * @param {Style|undefined} style
 * @param {StyleChanges|""} changes "" clears all
 * @returns {Style|undefined}
 */
export function mergeStyle(style, changes) {
  return changes === "" ? undefined : cleanStyle({ ...style, ...changes });
}

/**
 * @param {Style|""|undefined} one
 * @param {Style|""|undefined} other
 */
export function sameStyle(one, other) {
  const [left, right] = [cleanStyle(one), cleanStyle(other)];
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
