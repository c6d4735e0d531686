/** Which rows to ask for while a first load is on its way: what is in view and not here, one question at a time. */

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("../domain/axes.js").Run} Run */
/** @typedef {{first: number, last: number}} Stretch of positions */

const MAX_ROWS = 200; // what the server answers at most; a screen or two

export class Wishes {
  #send;
  #isAnswerable = false; // a server from before this was thought of takes it for nonsense
  #isAsking = false;

  /** @param {(frame: object) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** Another connection, or another answer to sheet.open: nothing is under way. */
  forget() {
    this.#isAnswerable = false;
    this.#isAsking = false;
  }

  /** rows.loaded has come. */
  answered() {
    this.#isAnswerable = true;
    this.#isAsking = false;
  }

  /**
   * Ask for rows in view that are not here, and where there are any, for those around them, too.
   * @param {Stretch[]} stretches of what is in view
   * @param {Axis} rows
   * @param {(row: number) => boolean} isHere by id
   */
  want(stretches, rows, isHere) {
    if (!this.#isAnswerable || this.#isAsking) return;
    /** @type {Run[]} */
    const wanted = [];
    for (const { first, last } of stretches) {
      if (missing(rows, first, last, isHere).length === 0) continue;
      const margin = (last - first + 1) >> 1;
      wanted.push(...missing(rows, Math.max(0, first - margin), last + margin, isHere));
    }
    if (wanted.length === 0) return;
    this.#isAsking = true;
    this.#send({ type: "rows.load", rows: wanted });
  }
}

/**
 * Return the rows between two positions that are not here.
 * @param {Axis} rows
 * @param {number} first
 * @param {number} last
 * @param {(row: number) => boolean} isHere
 * @returns {Run[]}
 */
function missing(rows, first, last, isHere) {
  /** @type {Run[]} */
  const found = [];
  for (const [id, count] of rows.runsBetween(first, Math.min(last, first + MAX_ROWS - 1))) {
    for (let row = id; row < id + count; row += 1) {
      const run = found.at(-1);
      if (isHere(row)) continue;
      if (run && run[0] + run[1] === row) run[1] += 1;
      else found.push([row, 1]);
    }
  }
  return found;
}
