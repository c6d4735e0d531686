/** Which cells are protected, and what to say to who may not edit them: as the server has told. */

import { gettext } from "./words.js";

/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("./origins.js").Mark} Mark */
/** @typedef {{get: (column_id: number) => Mark|undefined}} Marks of a row's cells */
/** @typedef {{id: number, rows: [number, number]|null, columns: [number, number]|null, description: string, may_edit: boolean}} Protection from corner to corner by ids; null: from edge to edge */
/** @typedef {{first: number, last: number}} Span of positions */
/** @typedef {{rows: Span, columns: Span, mark: Mark, protection: Protection}} Closed an area that one may not edit, where it stands now */

const ALL = { first: 0, last: Infinity };

export class Protections {
  #axes;
  #ask = "";
  /** @type {Protection[]} */ #told = [];
  /** @type {Closed[]} */ #closed = [];
  /** @type {[Axis, Axis]|null} what `#closed` was worked out on */ #on = null;
  /** @type {Map<Mark, Map<Mark, Mark>>} one object for all that are alike */ #joined = new Map();

  /** @param {{rows: Axis, columns: Axis}} axes of now, whenever they are asked for */
  constructor(axes) {
    this.#axes = axes;
  }

  /**
   * Take what is protected from now on; nothing, until it is told.
   * @param {{protections: Protection[], ask: string}} [told]
   */
  take({ protections, ask } = { protections: [], ask: "" }) {
    this.#told = protections;
    this.#ask = ask;
    this.#on = null;
    this.#joined.clear();
  }

  /**
   * Return why a range may not be changed, "" if it may.
   * @param {Range} range
   */
  refusalIn({ top, left, bottom, right }) {
    const found = this.#areas().find(({ rows, columns }) => top <= rows.last && rows.first <= bottom && left <= columns.last && columns.first <= right);
    if (found === undefined) return "";
    const { description } = found.protection;
    const what = description ? gettext("This is protected (%(description)s).", { description }) : gettext("This is protected.");
    return `${what} ${this.#ask ? gettext("Ask %(name)s to let you edit it.", { name: this.#ask }) : gettext("Ask the sheet's owner to let you edit it.")}`;
  }

  /**
   * Return the marks of a row's cells with what is protected among them.
   * @param {number} row_id
   * @param {Marks|undefined} marks that they have otherwise
   * @returns {Marks|undefined}
   */
  row(row_id, marks) {
    const areas = this.#areas();
    if (areas.length === 0) return marks;
    const row = this.#axes.rows.findPosition(row_id) ?? -1;
    const here = areas.filter(({ rows }) => row >= rows.first && row <= rows.last);
    if (here.length === 0) return marks;
    return {
      get: (column_id) => {
        const mark = marks?.get(column_id);
        const column = this.#axes.columns.findPosition(column_id) ?? -1;
        const area = here.find(({ columns }) => column >= columns.first && column <= columns.last);
        if (area === undefined) return mark;
        return mark === undefined ? area.mark : this.#both(area.mark, mark);
      },
    };
  }

  #areas() {
    const { rows, columns } = this.#axes;
    if (this.#on === null || this.#on[0] !== rows || this.#on[1] !== columns) {
      this.#on = [rows, columns];
      this.#closed = this.#told.filter(({ may_edit }) => !may_edit).flatMap((protection) => {
        const spans = { rows: spanOf(rows, protection.rows), columns: spanOf(columns, protection.columns) };
        return spans.rows && spans.columns ? [{ rows: spans.rows, columns: spans.columns, mark: markOf(protection), protection }] : [];
      });
    }
    return this.#closed;
  }

  /**
   * @param {Mark} closed
   * @param {Mark} other
   */
  #both(closed, other) {
    const known = this.#joined.get(closed) ?? new Map();
    this.#joined.set(closed, known);
    const joined = known.get(other) ?? { kind: `${other.kind} ${closed.kind}`, says: `${closed.says}. ${other.says}` };
    known.set(other, joined);
    return joined;
  }
}

/**
 * @param {Axis} axis
 * @param {[number, number]|null} ends
 * @returns {Span|undefined}
 */
function spanOf(axis, ends) {
  return ends === null ? ALL : axis.spanBetween(...ends);
}

/**
 * @param {Protection} protection
 * @returns {Mark}
 */
function markOf({ description }) {
  return { kind: "protected", says: description ? gettext("Protected: %(description)s", { description }) : gettext("Protected") };
}
