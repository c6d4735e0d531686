/** How wide a text is, and how many lines it takes: what the painter must know before the browser lays it out. */

const MAX_KNOWN = 4_000; // texts whose lines are remembered: some screens full of wrapped cells

/** @typedef {import("./looks.js").Look} Look */

export class Ruler {
  #host;
  /** @type {CanvasRenderingContext2D|null} */ #context = null;
  #size = "";
  #family = "";
  /** @type {string[]} as they are asked for again and again */ #fonts = [];
  #font = "";
  /** @type {Map<string, number>} */ #lines = new Map();

  /** @param {HTMLElement} host whose font it is */
  constructor(host) {
    this.#host = host;
  }

  /**
   * Return a font as a canvas takes it.
   * @param {{isBold: boolean, isItalic: boolean}} [look]
   * @param {number} [size] in pixels, if it is not the usual one
   */
  fontOf({ isBold, isItalic } = { isBold: false, isItalic: false }, size) {
    if (this.#family === "") {
      const { fontSize, fontFamily } = getComputedStyle(this.#host);
      this.#size = fontSize;
      this.#family = fontFamily;
    }
    const key = Number(isBold) + 2 * Number(isItalic);
    if (size === undefined) return (this.#fonts[key] ??= named(isBold, isItalic, this.#size, this.#family));
    return named(isBold, isItalic, `${size}px`, this.#family);
  }

  /**
   * @param {string} text of one line
   * @param {Look} look
   * @returns {number} its width in pixels
   */
  widthOf(text, look) {
    this.#context ??= /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    const font = this.fontOf(look);
    if (font !== this.#font) this.#context.font = this.#font = font;
    return this.#context.measureText(text).width;
  }

  /**
   * Return how many lines a text takes where lines are broken between words or, if need be, within them.
   * @param {string} text
   * @param {number} width in pixels
   * @param {Look} look
   */
  linesOf(text, width, look) {
    const key = `${width} ${look.isBold} ${look.isItalic} ${text}`;
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const lines = text.split("\n").reduce((sum, line) => sum + this.#wrapped(line, width, look), 0);
    if (this.#lines.size >= MAX_KNOWN) this.#lines.clear();
    this.#lines.set(key, lines);
    return lines;
  }

  /**
   * @param {string} line
   * @param {number} width
   * @param {Look} look
   */
  #wrapped(line, width, look) {
    if (this.widthOf(line, look) <= width) return 1;
    let lines = 1;
    let used = 0;
    for (const word of line.split(/(?<=[\s-])/)) {
      const size = this.widthOf(word, look);
      const bare = this.widthOf(word.trimEnd(), look); // a space at the end of a line takes no room
      if (used + bare <= width) {
        used += size;
        continue;
      }
      if (used > 0) lines += 1;
      const more = Math.max(0, Math.ceil(bare / width) - 1);
      lines += more;
      used = size - more * width;
    }
    return lines;
  }
}

/**
 * @param {boolean} isBold
 * @param {boolean} isItalic
 * @param {string} size
 * @param {string} family
 */
function named(isBold, isItalic, size, family) {
  return `${isItalic ? "italic " : ""}${isBold ? "bold " : ""}${size} ${family}`;
}
