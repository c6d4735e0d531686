/** What a style becomes on the page: words for the style sheet, and colours; worked out once for all cells that look alike. */

import { inkOn, inkOnPaper, isDarkNow, onDarkness } from "./colors.js";

/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {{words: string, ink: string, fill: string, isBold: boolean, isItalic: boolean, isWrapped: boolean, align: string}} Look */

/** @type {Look} */
const PLAIN = { words: "", ink: "", fill: "", isBold: false, isItalic: false, isWrapped: false, align: "" };

/** @type {WeakMap<Style, Look>} */
let known = new WeakMap();
onDarkness(() => (known = new WeakMap())); // other objects than before: whoever compares them paints anew

/**
 * Return how a cell of a style looks; equal styles have the same object, until the page turns light or dark.
 * @param {Style|undefined} style
 * @returns {Look}
 */
export function lookOf(style) {
  if (style === undefined) return PLAIN;
  let look = known.get(style);
  if (look === undefined) known.set(style, (look = makeLook(style)));
  return look;
}

/**
 * @param {Style} style
 * @returns {Look}
 */
function makeLook(style) {
  const { bold, italic, strike, wrap, color = "", fill = "" } = style;
  const align = style.align ?? "";
  const words = [bold && "bold", italic && "italic", strike && "strike", wrap && "wrap", fill && "filled", align].filter(Boolean).join(" ");
  const ink = color && fill ? color : color ? inkOnPaper(color, isDarkNow()) : fill ? inkOn(fill) : "";
  return { words, ink, fill, isBold: bold === true, isItalic: italic === true, isWrapped: wrap === true, align };
}
