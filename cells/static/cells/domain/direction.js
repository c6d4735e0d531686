/** Which way a text runs: as its first letter does, by the Unicode Bidirectional Algorithm (UAX #9, rules P2 and P3). */

// Hebrew, Arabic, Syriac, Thaana, NKo …, their presentation forms, and the right-to-left scripts of the upper planes.
const RIGHT_TO_LEFT = /[\u0590-\u08FF\u200F\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;
const FIRST_STRONG = /[\p{L}\u200E\u200F]/u;

/**
 * Say whether a text is read from the right to the left.
 * @param {string} text
 */
export function isRightToLeft(text) {
  if (!RIGHT_TO_LEFT.test(text)) return false; // nearly all texts, and cheap
  const first = FIRST_STRONG.exec(text);
  return first !== null && RIGHT_TO_LEFT.test(first[0]);
}
