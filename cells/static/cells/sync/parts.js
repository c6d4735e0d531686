/** News that come in several frames, kept until they are whole: between two states of the log nothing is shown. */

/** @typedef {{through: number, changes: import("./replica.js").Changes}} Part of a cells.changed */

export class Parts {
  /** @type {Map<number, Part[]>} by the revision that they lead to */ #held = new Map();

  /**
   * Keep a frame that others follow.
   * @param {Part} frame
   */
  hold(frame) {
    const held = this.#held.get(frame.through);
    if (held) held.push(frame);
    else this.#held.set(frame.through, [frame]);
  }

  /**
   * Return what belongs to the last of several frames, or to one alone, in order; forget it, and what is older.
   * @param {Part} last
   * @returns {Part[]}
   */
  endWith(last) {
    const parts = [...(this.#held.get(last.through) ?? []), last];
    for (const through of this.#held.keys()) if (through <= last.through) this.#held.delete(through);
    return parts;
  }

  /** The line, or the log, is another one. */
  clear() {
    this.#held.clear();
  }
}
