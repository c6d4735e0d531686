/** Which keys change how cells look, as in Google Sheets. */

/** @typedef {import("./styling.js").Styling} Styling */
/** @typedef {(styling: Styling) => void} Change */

/** @type {Record<string, Change>} with Ctrl and Shift, by where the key is: with Shift a digit is another character */
const WITH_SHIFT = {
  Digit1: (styling) => styling.format("thousands"),
  Digit2: (styling) => styling.format("time"),
  Digit3: (styling) => styling.format("date"),
  Digit4: (styling) => styling.format("currency"),
  Digit5: (styling) => styling.format("percent"),
};

/** @type {Record<string, Change>} with Ctrl and Shift, by what the key says */
const LETTERS_WITH_SHIFT = {
  l: (styling) => styling.align("left"),
  e: (styling) => styling.align("center"),
  r: (styling) => styling.align("right"),
  x: (styling) => styling.toggle("strike"),
};

/** @type {Record<string, Change>} with Ctrl alone */
const LETTERS = {
  b: (styling) => styling.toggle("bold"),
  i: (styling) => styling.toggle("italic"),
  "\\": (styling) => styling.apply(""),
};

/**
 * Return what a key does to the looks of the selected cells; undefined for nothing.
 * @param {Pick<KeyboardEvent, "key"|"code"|"ctrlKey"|"metaKey"|"altKey"|"shiftKey">} event
 * @returns {Change|undefined}
 */
export function lookChangeOf({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
  const isCommand = ctrlKey || metaKey;
  if (altKey) return shiftKey && !isCommand && code === "Digit5" ? (styling) => styling.toggle("strike") : undefined;
  if (!isCommand) return undefined;
  const letter = key.toLowerCase();
  if (!shiftKey) return LETTERS[letter];
  return WITH_SHIFT[code] ?? LETTERS_WITH_SHIFT[letter];
}
