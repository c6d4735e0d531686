/**
 * Many cells in little memory, by row and column id: what has not been written for a while is one string a row.
 *
 * An object and an entry of a map for each cell cost several times the text in it, and a sheet may have millions. Rows are
 * packed in bands of columns, so that a text is found by a look at a few dozen others at most.
 */

const BAND_BITS = 6; // 64 columns
const LOOSE_ROWS = 256; // held as they were written: rows come cell by cell, and some are written again and again
const KNOWN_LAYOUTS = 8; // that a row is compared with: rows beside each other are mostly filled and styled alike
const SEPARATOR = "\u0000"; // the server lets none through; a text with one is kept apart all the same

/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {import("./confirmed.js").Cell} Cell */
/** @typedef {{columns: readonly number[], styles: readonly (Style|undefined)[]|null}} Layout which cells a row has, with which styles; null: none has any */
/** @typedef {Map<number, Cell>} LooseRow by column id */

/** A row's cells in a band, not to be changed. */
class PackedRow {
  #layout;
  #texts;
  #others;

  /**
   * @param {Layout} layout
   * @param {string} texts of its cells, between separators
   * @param {LooseRow|null} others cells that are more than a text and a style
   */
  constructor(layout, texts, others) {
    this.#layout = layout;
    this.#texts = texts;
    this.#others = others;
  }

  /** @param {number} column */
  has(column) {
    return this.#layout.columns.includes(column) || this.#others?.has(column) === true;
  }

  /** @returns {Iterable<number>} */
  *keys() {
    yield* this.#layout.columns;
    if (this.#others) yield* this.#others.keys();
  }

  /** All texts, for whoever reads several of them. */
  texts() {
    return this.#texts.split(SEPARATOR);
  }

  /**
   * @param {number} column
   * @param {readonly string[]|null} texts as `texts()` gave them
   * @returns {Cell|undefined}
   */
  get(column, texts) {
    const { columns, styles } = this.#layout;
    const place = columns.indexOf(column);
    if (place === -1) return this.#others?.get(column);
    const input = texts ? texts[place] : this.#textAt(place);
    const style = styles?.[place];
    return style ? { input, style } : { input };
  }

  /** @param {number} place */
  #textAt(place) {
    let from = 0;
    for (; place > 0; place -= 1) from = this.#texts.indexOf(SEPARATOR, from) + 1;
    const to = this.#texts.indexOf(SEPARATOR, from);
    return to === -1 ? this.#texts.slice(from) : this.#texts.slice(from, to);
  }

  /** @returns {LooseRow} */
  unpacked() {
    const texts = this.texts();
    const loose = new Map(this.#others ?? []);
    for (const column of this.#layout.columns) loose.set(column, /** @type {Cell} */ (this.get(column, texts)));
    return loose;
  }
}

export class PackedCells {
  /** @type {Map<number, Map<number, LooseRow|PackedRow>>} by band, then by row id */ #bands = new Map();
  /** @type {Map<LooseRow, {band: number, row: number}>} the longest unpacked first */ #loose = new Map();
  /** @type {Layout[]} the last used first */ #layouts = [];
  /** @type {PackedRow|null} that was read last, and its texts once it is read again */ #read = null;
  /** @type {string[]|null} */ #texts = null;

  /**
   * @param {number} row
   * @param {number} column
   * @returns {Cell|undefined}
   */
  get(row, column) {
    const held = this.#bands.get(column >> BAND_BITS)?.get(row);
    if (!(held instanceof PackedRow)) return held?.get(column);
    if (held === this.#read) return held.get(column, (this.#texts ??= held.texts()));
    this.#read = held;
    this.#texts = null;
    return held.get(column, null);
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {Cell} cell
   */
  set(row, column, cell) {
    this.#looseRow(row, column >> BAND_BITS).set(column, cell);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  delete(row, column) {
    const band = column >> BAND_BITS;
    const rows = this.#bands.get(band);
    if (!rows?.get(row)?.has(column)) return;
    const loose = this.#looseRow(row, band);
    loose.delete(column);
    if (loose.size > 0) return;
    rows.delete(row);
    this.#loose.delete(loose);
  }

  clear() {
    this.#bands.clear();
    this.#loose.clear();
    this.#layouts = [];
    this.#read = this.#texts = null;
  }

  /**
   * Yield the row and column ids of what is held, in no order.
   * @param {{row?: number, column?: number}} [only] of this row or column
   * @returns {Generator<[row: number, column: number]>}
   */
  *among({ row, column } = {}) {
    for (const [band, rows] of this.#bands) {
      if (column !== undefined && column >> BAND_BITS !== band) continue;
      for (const [row_id, held] of row === undefined ? rows : [/** @type {const} */ ([row, rows.get(row)])]) {
        if (held === undefined || (column !== undefined && !held.has(column))) continue;
        for (const column_id of column === undefined ? held.keys() : [column]) yield [row_id, column_id];
      }
    }
  }

  /**
   * Return a row of a band as it can be written, and pack those that have not been for long.
   * @param {number} row
   * @param {number} band
   */
  #looseRow(row, band) {
    let rows = this.#bands.get(band);
    if (rows === undefined) this.#bands.set(band, (rows = new Map()));
    const held = rows.get(row);
    if (held instanceof Map) return held;
    /** @type {LooseRow} */
    const loose = held?.unpacked() ?? new Map();
    rows.set(row, loose);
    this.#loose.set(loose, { band, row });
    if (this.#loose.size > LOOSE_ROWS) this.#pack();
    return loose;
  }

  /** Pack the older half of the loose rows. */
  #pack() {
    for (const [loose, { band, row }] of this.#loose) {
      this.#bands.get(band)?.set(row, this.#packed(loose));
      this.#loose.delete(loose);
      if (this.#loose.size <= LOOSE_ROWS / 2) return;
    }
  }

  /** @param {LooseRow} loose */
  #packed(loose) {
    /** @type {number[]} */
    const columns = [];
    /** @type {(Style|undefined)[]} */
    const styles = [];
    /** @type {string[]} */
    const texts = [];
    /** @type {LooseRow} */
    const others = new Map();
    for (const [column, cell] of loose) {
      if (cell.value !== undefined || cell.input.includes(SEPARATOR)) {
        others.set(column, cell);
        continue;
      }
      columns.push(column);
      styles.push(cell.style);
      texts.push(cell.input);
    }
    const layout = this.#layout(columns, styles.some(Boolean) ? styles : null);
    return new PackedRow(layout, texts.join(SEPARATOR), others.size > 0 ? others : null);
  }

  /**
   * Return a layout, the same object for rows beside each other that have the same one.
   * @param {number[]} columns
   * @param {(Style|undefined)[]|null} styles
   * @returns {Layout}
   */
  #layout(columns, styles) {
    const layouts = this.#layouts;
    const place = layouts.findIndex((layout) => isSame(layout.columns, columns) && isSame(layout.styles, styles));
    const layout = place === -1 ? { columns: columns.slice(), styles: styles?.slice() ?? null } : layouts[place]; // slices have no spare room
    if (place === 0) return layout;
    if (place > 0) layouts.splice(place, 1);
    layouts.unshift(layout);
    layouts.length = Math.min(layouts.length, KNOWN_LAYOUTS);
    return layout;
  }
}

/**
 * @param {readonly unknown[]|null} one
 * @param {readonly unknown[]|null} other
 */
function isSame(one, other) {
  if (one === null || other === null) return one === other;
  return one.length === other.length && one.every((item, place) => item === other[place]);
}
