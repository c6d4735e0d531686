/** How wide a text is, and how many lines it takes: what the painter must know before the browser lays it out. */

const MAX_KNOWN = 4_000; // texts whose lines are remembered: some screens full of wrapped cells

/** @typedef {import("./looks.js").Look} Look */

export class Ruler {
  #host;
  /** @type {CanvasRenderingContext2D|null} */ #context = null;
  #usual = "";
  #font = "";
  /** @type {Map<string, number>} */ #lines = new Map();

  /** @param {HTMLElement} host whose font it is */
  constructor(host) {
    this.#host = host;
  }

  /**
   * @param {string} text of one line
   * @param {Look} look
   * @returns {number} its width in pixels
   */
  widthOf(text, { isBold, isItalic }) {
    if (this.#context === null) {
      this.#context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
      const { fontSize, fontFamily } = getComputedStyle(this.#host);
      this.#usual = `${fontSize} ${fontFamily}`;
    }
    const font = `${isItalic ? "italic " : ""}${isBold ? "bold " : ""}${this.#usual}`;
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
