/** Colours: which text can be read on which ground, and what a style's colours become on the page. */

const INK = "#14181a";
const DARK_PAPER = "#14181a"; // as base.css has it
const WHITE = "#ffffff";
const LEGIBLE = 4.5; // WCAG 2.2, 1.4.3: text against its ground
const STEPS = 10; // from a colour towards white

/**
 * @param {string} color #rrggbb
 * @returns {number[]} red, green and blue, of 255
 */
function channels(color) {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}

/**
 * Return the relative luminance of a colour (WCAG 2.2).
 * @param {string} color
 */
function luminance(color) {
  const [red, green, blue] = channels(color).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/**
 * Return the contrast of two colours, from 1 to 21 (WCAG 2.2).
 * @param {string} one #rrggbb
 * @param {string} other
 */
export function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/**
 * Return black or white, whichever can be read on a ground.
 * @param {string} fill #rrggbb
 */
export function inkOn(fill) {
  return contrast(fill, INK) >= contrast(fill, WHITE) ? INK : WHITE;
}

/**
 * Return what a text's colour becomes where no fill lies under it: as it is on white, as it was chosen; lighter on the
 * dark page until it can be read, for nobody chose it for that ground.
 * @param {string} color #rrggbb
 * @param {boolean} isDark
 */
export function inkOnPaper(color, isDark) {
  if (!isDark) return color;
  for (let step = 0; step <= STEPS; step += 1) {
    const mixed = `#${channels(color).map((value) => Math.round(value + ((255 - value) * step) / STEPS).toString(16).padStart(2, "0")).join("")}`;
    if (contrast(mixed, DARK_PAPER) >= LEGIBLE) return mixed;
  }
  return WHITE;
}

/** Say whether the page is dark now. */
export function isDarkNow() {
  return darkness?.matches ?? false;
}

const darkness = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

/**
 * Hear of the system's change between light and dark.
 * @param {() => void} changed
 */
export function onDarkness(changed) {
  darkness?.addEventListener("change", changed);
}
