/** What can be done to the selected cells, rows and columns: each becomes operations on the model. */

import { formatColumn, MAX_COLUMNS, MAX_ROWS } from "../domain/addresses.js";
import { pastedInputs } from "../domain/copies.js";
import { cleanText, editsOf, isTooLong, MAX_INPUT_CHARACTERS, splitEdits } from "../domain/operations.js";
import { isFormula, shifted } from "../domain/references.js";
import { MAX_FITTED_PX } from "./model.js";
import { gettext, ngettext } from "./words.js";

const MIN_FITTED_PX = 32; // a column of single digits can still be caught, and its letter read
const MAX_FILLED_CELLS = 200_000; // one value over a selection: beyond this it is a slip, not a wish

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/axes.js").Run} Run */
/** @typedef {import("../domain/copies.js").Origin} Origin */
/** @typedef {import("../domain/operations.js").Edit} Edit */
/** @typedef {import("../domain/operations.js").Intended} Intended */
/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./selection.js").Selection} Selection */
/** @typedef {"rows"|"columns"} AxisName */

function tooManyRows() {
  return gettext("A sheet has at most %(count)s rows.", { count: MAX_ROWS });
}

export class Actions {
  #model;
  #selection;
  #tell;
  #refusalIn;
  /** @type {Record<AxisName, Run[]>} what this page deleted */ #deleted = { rows: [], columns: [] };

  /**
   * @param {Model} model
   * @param {Selection} selection
   * @param {(sentence: string) => void} tell why something was not done
   * @param {(range: Range) => string} [refusalIn] why a range may not be changed; "" if it may
   */
  constructor(model, selection, tell, refusalIn = () => "") {
    this.#model = model;
    this.#selection = selection;
    this.#tell = tell;
    this.#refusalIn = refusalIn;
  }

  /**
   * Return which positions of an axis are selected.
   * @param {AxisName} axis
   * @returns {{first: number, last: number, count: number}}
   */
  span(axis) {
    const { top, bottom, left, right } = this.#selection.range;
    const [first, last] = axis === "rows" ? [top, bottom] : [left, right];
    return { first, last, count: last - first + 1 };
  }

  /**
   * Insert as many rows or columns as are selected.
   * @param {AxisName} axis
   * @param {"before"|"after"} where
   */
  insert(axis, where) {
    const { first, last, count } = this.span(axis);
    if (this.#model[axis].length + count > (axis === "rows" ? MAX_ROWS : MAX_COLUMNS)) {
      this.#tell(axis === "rows" ? tooManyRows() : gettext("A sheet has at most %(count)s columns.", { count: MAX_COLUMNS }));
      return;
    }
    const before = this.#model[axis].idAt(where === "before" ? first : last + 1) ?? null;
    this.#model.submit({ kind: axis === "rows" ? "insert_rows" : "insert_columns", before, count });
  }

  /**
   * Add empty rows below the last one.
   * @param {number} count
   */
  addRows(count) {
    if (this.#model.rows.length + count > MAX_ROWS) {
      this.#tell(tooManyRows());
      return;
    }
    this.#model.submit({ kind: "insert_rows", before: null, count });
  }

  /**
   * Delete what is selected; say what went with it, for nothing brings it back.
   * @param {AxisName} axis
   */
  delete(axis) {
    const { first, last, count } = this.span(axis);
    if (count >= this.#model[axis].length) {
      this.#tell(axis === "rows" ? gettext("A sheet keeps at least one row.") : gettext("A sheet keeps at least one column."));
      return;
    }
    const runs = this.#model[axis].runsBetween(first, last);
    const filled = this.#filledIn(this.#whole(axis)).length;
    this.#model.submit(axis === "rows" ? { kind: "delete_rows", rows: runs } : { kind: "delete_columns", columns: runs });
    this.#deleted[axis].push(...runs);
    if (filled === 0) return;
    const cells = ngettext("%(count)s filled cell", "%(count)s filled cells", filled);
    this.#tell(
      axis === "rows"
        ? ngettext("Deleted %(count)s row with %(cells)s.", "Deleted %(count)s rows with %(cells)s.", count, { cells })
        : ngettext("Deleted %(count)s column with %(cells)s.", "Deleted %(count)s columns with %(cells)s.", count, { cells }),
    );
  }

  /**
   * Say whether it was this page that deleted a row or column that an operation is about.
   * @param {Intended} operation
   */
  hasDeletedFor(operation) {
    /** @type {(axis: AxisName, first: number, count?: number) => boolean} */
    const isGone = (axis, first, count = 1) => this.#deleted[axis].some(([from, many]) => first < from + many && from < first + count);
    const cells = operation.kind === "paste" ? [operation.cell] : (editsOf(operation) ?? []);
    if (cells.some(([row, column]) => isGone("rows", row) || isGone("columns", column))) return true;
    if (operation.kind === "freeze") return false; // it names no ids
    const { rows = [], columns = [] } = /** @type {{rows?: Run[], columns?: Run[]}} */ (operation);
    if (rows.some((run) => isGone("rows", ...run)) || columns.some((run) => isGone("columns", ...run))) return true;
    const before = "before" in operation ? operation.before : null;
    return before !== null && isGone(operation.kind.endsWith("rows") ? "rows" : "columns", before);
  }

  /**
   * Move the selected rows or columns by one.
   * @param {AxisName} axis
   * @param {1|-1} direction
   */
  move(axis, direction) {
    const { first, last } = this.span(axis);
    const ids = this.#model[axis];
    if (direction < 0 ? first === 0 : last === ids.length - 1) return;
    const before = ids.idAt(direction < 0 ? first - 1 : last + 2) ?? null;
    const runs = ids.runsBetween(first, last);
    this.#model.submit(
      axis === "rows" ? { kind: "move_rows", rows: runs, before } : { kind: "move_columns", columns: runs, before },
    );
  }

  /**
   * Give a row or column a size; where whole ones are selected around it, give it to all of them.
   * @param {AxisName} axis
   * @param {number} position
   * @param {number|null} size in pixels; null: the usual one
   */
  resize(axis, position, size) {
    const { first, last } = this.#meant(axis, position);
    this.#model.submit({ kind: "resize", [axis]: this.#model[axis].runsBetween(first, last), size });
  }

  /**
   * Give a column, or each of those selected whole around it, the width of its widest content; an empty one the usual.
   * @param {number} column
   * @param {(cell: ReturnType<Model["cellAt"]>) => number} widthOf
   */
  fit(column, widthOf) {
    const { columns } = this.#model;
    const { first, last } = this.#meant("columns", column);
    /** @type {Map<number, number>} */
    const widest = new Map();
    for (const [row_id, column_id] of this.#model.filled(first === last ? { column: columns.idAt(first) } : {})) {
      const position = columns.findPosition(column_id);
      if (position === undefined || position < first || position > last) continue;
      const known = widest.get(position) ?? 0;
      if (known < MAX_FITTED_PX) widest.set(position, Math.max(known, widthOf(this.#model.cellAt(row_id, column_id))));
    }
    /** @type {Map<number|null, [first: number, last: number][]>} columns of one width travel together */
    const alike = new Map();
    for (let position = first; position <= last; position += 1) {
      const width = widest.get(position);
      const size = width ? Math.max(MIN_FITTED_PX, Math.min(MAX_FITTED_PX, width)) : null;
      const stretches = alike.get(size) ?? [];
      const neighbour = stretches.at(-1);
      if (neighbour?.[1] === position - 1) neighbour[1] = position;
      else stretches.push([position, position]);
      alike.set(size, stretches);
    }
    for (const [size, stretches] of alike) {
      const runs = stretches.flatMap(([from, to]) => columns.runsBetween(from, to));
      this.#model.submit({ kind: "resize", columns: runs, size });
    }
  }

  /**
   * Return what a gesture on one row or column means: all those selected whole, if it is among them.
   * @param {AxisName} axis
   * @param {number} position
   */
  #meant(axis, position) {
    const { first, last } = this.span(axis);
    const isAmongWhole = this.#selection.shape === axis && first <= position && position <= last;
    return isAmongWhole ? { first, last } : { first: position, last: position };
  }

  /**
   * Write one input into every selected cell, a formula as copies of the active cell's; false if they are too many.
   * @param {string} input
   */
  fill(input) {
    const values = this.#repeated([[input]]);
    if (values === null) return false;
    const { rows, columns } = this.#model;
    const { range: { top, left }, active } = this.#selection;
    /** @type {(row: number, column: number) => string} */
    const inputAt = (row, column) => (isFormula(input) ? shifted(input, this.#model, row - active.row, column - active.column) : input);
    this.submit(
      values.flatMap((line, down) =>
        line.map((_, across) => /** @type {Edit} */ ([rows.idAt(top + down), columns.idAt(left + across), inputAt(top + down, left + across)])),
      ),
    );
    return true;
  }

  /** Clear what is filled in the selection. */
  clear() {
    if (!this.#isRefused(this.#selection.range)) this.submit(this.clearing(this.#selection.range));
  }

  /**
   * Say why a range may not be changed, and whether that is so.
   * @param {Range} range
   */
  #isRefused(range) {
    const sentence = this.#refusalIn(range);
    if (sentence !== "") this.#tell(sentence);
    return sentence !== "";
  }

  /**
   * Return the edits that empty a range.
   * @param {Range} range
   * @returns {Edit[]}
   */
  clearing(range) {
    return this.#filledIn(range).map(({ row_id, column_id }) => [row_id, column_id, ""]);
  }

  /**
   * Return the edits that empty a range and take its looks: what moves away leaves neither.
   * @param {Range} range
   * @returns {Edit[]}
   */
  emptying(range) {
    const styled = this.#among(range, (only) => this.#model.styled(only));
    const looks = new Set(styled.map(({ row_id, column_id }) => `${row_id} ${column_id}`));
    const plain = this.#filledIn(range).filter(({ row_id, column_id }) => !looks.has(`${row_id} ${column_id}`));
    return [
      ...plain.map(({ row_id, column_id }) => /** @type {Edit} */ ([row_id, column_id, ""])),
      ...styled.map(({ row_id, column_id }) => /** @type {Edit} */ ([row_id, column_id, "", ""])),
    ];
  }

  /**
   * Submit edits, in as few operations as the limits allow; returns the ids of these.
   * @param {Edit[]} edits
   */
  submit(edits) {
    const operations = splitEdits(edits);
    if (operations.length <= 1) return operations.map((operation) => this.#model.submit(operation));
    return this.#model.asOneStep(() => operations.map((operation) => this.#model.submit(operation)));
  }

  /**
   * Return the inputs of the selection; of whole rows, columns or sheets as much as is filled.
   * @returns {string[][]}
   */
  inputs() {
    const { top, left, bottom, right } = this.#selection.range;
    let last = { row: bottom, column: right };
    if (this.#selection.shape !== "cells") {
      const filled = this.#filledIn(this.#selection.range);
      last = {
        row: Math.min(bottom, filled.reduce((most, { row }) => Math.max(most, row), top)),
        column: Math.min(right, filled.reduce((most, { column }) => Math.max(most, column), left)),
      };
    }
    const { rows, columns } = this.#model;
    const column_ids = [];
    for (let column = left; column <= last.column; column += 1) column_ids.push(/** @type {number} */ (columns.idAt(column)));
    const lines = [];
    for (let row = top; row <= last.row; row += 1) {
      const row_id = /** @type {number} */ (rows.idAt(row));
      lines.push(column_ids.map((column_id) => this.#model.inputAt(row_id, column_id)));
    }
    return lines;
  }

  /**
   * Write texts from the upper left corner of the selection; they are repeated where the selection is a multiple of
   * them. Rows and columns that are missing are born first. Returns the range that was pasted over, null if refused.
   * @param {string[][]} texts
   * @param {Edit[]} [cut] what empties the cells that they came from
   * @param {(Style|""|null)[][]} [styles] of the texts; null leaves a cell as it looks
   * @param {Origin} [origin] of the formulas among them
   * @returns {Range|null}
   */
  paste(texts, cut = [], styles, origin = { kind: "typed" }) {
    const pastedTexts = this.#repeated(texts.map((line) => line.map(cleanText)));
    if (pastedTexts === null) return null;
    const looks = (styles && this.#repeated(styles)) ?? undefined;
    const { top, left } = this.#selection.range;
    const width = pastedTexts.reduce((widest, line) => Math.max(widest, line.length), 0);
    if (top + pastedTexts.length > MAX_ROWS || left + width > MAX_COLUMNS) {
      const end = `${formatColumn(MAX_COLUMNS - 1)}${MAX_ROWS}`;
      this.#tell(gettext("What you pasted would go beyond %(end)s, where a sheet ends: nothing was pasted.", { end }));
      return null;
    }
    const { rows, columns } = this.#model;
    const pasted = { top, left, bottom: top + pastedTexts.length - 1, right: left + width - 1 };
    if (this.#isRefused(pasted)) return null;
    const missing = { rows: pasted.bottom + 1 - rows.length, columns: pasted.right + 1 - columns.length };
    const axes = { rows: missing.rows > 0 ? rows.insert(null, missing.rows) : rows, columns: missing.columns > 0 ? columns.insert(null, missing.columns) : columns };
    const values = pastedInputs(pastedTexts, { row: top, column: left }, { height: texts.length, width: texts.reduce((widest, line) => Math.max(widest, line.length), 0) }, origin, axes);
    if (values.some((line) => line.some(isTooLong))) {
      this.#tell(gettext("A cell holds at most %(count)s characters: nothing was pasted.", { count: MAX_INPUT_CHARACTERS }));
      return null;
    }
    const cleared = cut.filter((edit) => this.#isOutside(edit, pasted));
    const cell = /** @type {[number, number]} */ ([rows.idAt(top), columns.idAt(left)]);
    if (missing.rows > 0 || missing.columns > 0) {
      const paste = looks === undefined ? { values } : { values, styles: looks };
      const expected = { rows: { first: rows.nextId, offset: rows.length - top }, columns: { first: columns.nextId, offset: columns.length - left } };
      const hasFormulas = values.some((line) => line.some(isFormula));
      this.#transfer([], cleared, [this.#model.submit({ kind: "paste", cell, ...paste, ...(hasFormulas ? { expected } : {}) })]);
      return pasted;
    }
    const edits = values.flatMap((line, down) =>
      line.map((text, across) => this.edit(top + down, left + across, text, looks?.[down][across] ?? null)),
    );
    if (cleared.length > 0 && splitEdits([...edits, ...cleared]).length === 1) this.#transfer(edits, cleared, []);
    else this.#transfer([], cleared, this.submit(edits));
    return pasted;
  }

  /**
   * Return the edit that writes a text and looks into a cell.
   * @param {number} row
   * @param {number} column
   * @param {string} text
   * @param {Style|""|null} style "": none; null: as it is
   * @returns {Edit}
   */
  edit(row, column, text, style) {
    const row_id = /** @type {number} */ (this.#model.rows.idAt(row));
    const column_id = /** @type {number} */ (this.#model.columns.idAt(column));
    const isSame = style === null || (style === "" && this.#model.styleAt(row_id, column_id) === undefined);
    return isSame ? [row_id, column_id, text] : [row_id, column_id, text, style];
  }

  /**
   * Empty what was cut together with the paste or, where that takes operations of its own, after it.
   * @param {Edit[]} edits
   * @param {Edit[]} cleared
   * @param {string[]} after
   */
  #transfer(edits, cleared, after) {
    for (const { cells } of splitEdits(cleared)) this.#model.submit({ kind: "transfer", cells: edits, cleared: cells, after });
  }

  /**
   * Say whether a cell still stands, and not in a range.
   * @param {Edit} edit
   * @param {Range} range
   */
  #isOutside([row_id, column_id], { top, left, bottom, right }) {
    const row = this.#model.rows.findPosition(row_id);
    const column = this.#model.columns.findPosition(column_id);
    if (row === undefined || column === undefined) return false;
    return row < top || row > bottom || column < left || column > right;
  }

  /**
   * @template T
   * @param {T[][]} values
   * @returns {T[][]|null}
   */
  #repeated(values) {
    const { top, left, bottom, right } = this.#selection.range;
    const height = bottom - top + 1;
    const width = right - left + 1;
    const isEven = values.every((line) => line.length === values[0].length);
    if (!isEven || height % values.length !== 0 || width % values[0].length !== 0) return values;
    if (height * width > Math.max(MAX_FILLED_CELLS, values.length * values[0].length)) {
      this.#tell(gettext("That would fill %(count)s cells: select fewer.", { count: height * width }));
      return null;
    }
    return Array.from({ length: height }, (_, down) => {
      const line = values[down % values.length];
      return Array.from({ length: width }, (_, across) => line[across % line.length]);
    });
  }

  /**
   * Return the selected rows or columns from end to end.
   * @param {AxisName} axis
   * @returns {Range}
   */
  #whole(axis) {
    const { rows, columns } = this.#model;
    const across = axis === "rows" ? { left: 0, right: columns.length - 1 } : { top: 0, bottom: rows.length - 1 };
    return { ...this.#selection.range, ...across };
  }

  /** @param {Range} range */
  #filledIn(range) {
    return this.#among(range, (only) => this.#model.filled(only));
  }

  /**
   * Return which of some cells lie in a range.
   * @param {Range} range
   * @param {(only: {row?: number}) => Iterable<[number, number]>} cells those of a row, or all
   * @returns {{row: number, column: number, row_id: number, column_id: number}[]}
   */
  #among({ top, left, bottom, right }, cells) {
    const { rows, columns } = this.#model;
    const found = [];
    // A small range is looked up cell by cell, a large one by what is there at all.
    const lines = bottom - top < 1_000 ? Array.from({ length: bottom - top + 1 }, (_, down) => rows.idAt(top + down)) : [undefined];
    for (const line of lines) {
      for (const [row_id, column_id] of cells(line === undefined ? {} : { row: line })) {
        const row = rows.findPosition(row_id);
        const column = columns.findPosition(column_id);
        if (row === undefined || column === undefined) continue;
        if (row >= top && row <= bottom && column >= left && column <= right) found.push({ row, column, row_id, column_id });
      }
    }
    return found;
  }
}
