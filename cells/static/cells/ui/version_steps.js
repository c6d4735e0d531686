/** The single edits of versions that were opened in the list, newest first, as far as they were asked for. */

/** @typedef {import("./time_line.js").Entry} Entry */
/** @typedef {import("./time_line.js").Page} Page */
/** @typedef {import("./time_line.js").Version} Version */
/** @typedef {{through: number, last: number, entries: Entry[], before: number|null}} Opened */
/** @typedef {{steps: Version[], hasMore: boolean}} Steps */

export class VersionSteps {
  /** @type {Map<number, Opened>} by the version's first revision: its last one moves while it goes on */ #opened = new Map();

  /**
   * Return the edits of a version; null where it is not opened.
   * @param {Version} version
   * @returns {Steps|null}
   */
  of({ first }) {
    const opened = this.#opened.get(first);
    if (!opened) return null;
    const steps = opened.entries.map((entry, place) => {
      const through = place === 0 ? opened.through : opened.entries[place - 1].first - 1;
      return { ...entry, through: Math.max(through, entry.last), part: /** @type {const} */ ("step") };
    });
    return { steps, hasMore: opened.before !== null };
  }

  /**
   * Say whether a version is opened, and has gone on since its edits were asked for.
   * @param {Version} version
   */
  isStale({ first, last, through }) {
    const opened = this.#opened.get(first);
    return opened !== undefined && (opened.last !== last || opened.through !== through);
  }

  /**
   * Return what to ask the time line for: the newest edits of a version, or more of the older ones.
   * @param {Version} version
   * @param {"newest"|"older"} which
   */
  queryFor({ first, last }, which) {
    const before = this.#opened.get(first)?.before ?? null;
    return `?first=${first}&last=${which === "older" && before !== null ? before - 1 : last}`;
  }

  /**
   * Take what was answered.
   * @param {Version} version
   * @param {"newest"|"older"} which
   * @param {Pick<Page, "entries"|"before">} page
   */
  take({ first, last, through }, which, { entries, before }) {
    const opened = this.#opened.get(first);
    if (opened && which === "older") {
      opened.entries.push(...entries);
      opened.before = before;
      return;
    }
    // What was asked for of the older ones stays, unless something between is missing.
    const older = opened?.entries.filter((entry) => entry.last < (entries.at(-1)?.first ?? 0)) ?? [];
    const isJoined = opened !== undefined && older.length > 0 && older.length < opened.entries.length;
    this.#opened.set(first, isJoined ? { through, last, entries: [...entries, ...older], before: opened.before } : { through, last, entries, before });
  }

  /** @param {Version} version */
  close({ first }) {
    this.#opened.delete(first);
  }
}

/**
 * Return what the sheet was before the first edit of a version, to be looked at like one.
 * @param {Pick<Version, "first"|"started_at">} version
 * @returns {Version}
 */
export function before({ first, started_at }) {
  return { first, last: first - 1, through: first - 1, started_at, ended_at: started_at, authors: [], operations: 0, name: null, part: "before" };
}
