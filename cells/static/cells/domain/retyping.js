/** A formula that is being typed while rows or columns change under it. */

import { isFormula, MISSING, referencesIn, stored, toShown } from "./references.js";

/** @typedef {import("./references.js").Axes} Axes */

/**
 * Return a formula that is being typed as it reads once the axes are others; what names the same cells stays as it is typed.
 * @param {string} text
 * @param {Axes} before that it was typed on
 * @param {Axes} now
 * @returns {{text: string, at: (place: number) => number}} `at`: where a place in the text has come to
 */
export function retyped(text, before, now) {
  if (!isFormula(text)) return { text, at: (place) => place };
  /** @type {{from: number, to: number, written: string}[]} */
  const changes = [];
  for (const { reference, from, to } of referencesIn(text)) {
    const identity = stored(reference, before);
    if (identity === MISSING || stored(reference, now) === identity) continue;
    changes.push({ from, to, written: toShown(identity, now) });
  }
  let result = "";
  let done = 0;
  for (const { from, to, written: other } of changes) {
    result += text.slice(done, from) + other;
    done = to;
  }
  const at = (/** @type {number} */ place) => {
    let came = place;
    for (const { from, to, written: other } of changes) {
      if (to <= place) came += other.length - (to - from);
      else if (from < place) came += other.length - (place - from); // within it: behind it
    }
    return came;
  };
  return { text: result + text.slice(done), at };
}
