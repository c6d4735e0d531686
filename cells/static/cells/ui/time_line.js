/** A sheet's versions, newest first, as far as they were asked for. */

/** @typedef {import("./change_words.js").Author} Author */
/** @typedef {{first: number, last: number, started_at: string, ended_at: string, authors: Author[], operations: number, name: string|null}} Entry revisions `first` to `last`, made by the same people without a pause */
/** @typedef {{entries: Entry[], before: number|null, oldest: number, head: number}} Page `before`: what to ask for next; `oldest`: the oldest revision that can be looked at */
/** @typedef {Entry & {through: number, part?: "step"|"before"}} Version `through`: where its formulas had come to something, and nobody had done anything else; `part`: a single edit, or what was before one */

/**
 * Return what tells a version from all others.
 * @param {Version} version
 */
export function keyOf({ part, last }) {
  return `${part ?? ""}${last}`;
}

export class TimeLine {
  /** @type {Entry[]} */ #entries = [];
  #head = 0;
  /** The oldest revision that the log can tell. */ oldest = 0;
  /** @type {number|null} What to ask for next; null: there is no more. */ before = null;

  /** @returns {readonly Version[]} */
  get versions() {
    return this.#entries.map((entry, place) => {
      const next = place === 0 ? this.#head + 1 : this.#entries[place - 1].first;
      return { ...entry, through: entry.operations > 0 ? Math.max(next - 1, entry.last) : entry.last };
    });
  }

  /**
   * Return the versions while one of them is looked at: what it has grown by meanwhile is a version of its own.
   * @param {Version|null} shown
   * @returns {readonly Version[]}
   */
  versionsBeside(shown) {
    return this.versions.flatMap((version) => {
      const hasGrown = shown !== null && !shown.part && version.first <= shown.last && shown.last < version.last;
      return hasGrown ? [{ ...version, first: shown.last + 1, operations: Math.max(1, version.operations - shown.operations) }, shown] : [version];
    });
  }

  /**
   * Take the newest versions: what is known of them otherwise is out of date.
   * @param {Page} page
   */
  takeNewest({ entries, before, oldest, head }) {
    const from = entries.at(-1)?.first ?? 0;
    const older = this.#entries.filter(({ last }) => last < from);
    const isCut = this.#entries.some(({ first, last }) => first < from && last >= from);
    const isJoined = older.length > 0 && this.#entries[0].last >= from && !isCut;
    if (!isJoined) this.before = before; // what lies between is not here
    this.#entries = [...entries, ...(isJoined ? older : [])];
    this.#head = head;
    this.reaches(oldest);
  }

  /** @param {Page} page */
  takeOlder({ entries, before, oldest }) {
    this.#entries.push(...entries);
    this.before = before;
    this.reaches(oldest);
  }

  /**
   * The log reaches back so far, for somebody may have pruned it: what is older is no more, but for what its name keeps.
   * @param {number} oldest revision that it can tell
   */
  reaches(oldest) {
    this.oldest = oldest;
    this.#entries = this.#entries.filter((entry) => !this.isGone(entry));
  }

  /**
   * Say whether a version cannot be looked at any more.
   * @param {Pick<Version, "last"|"name">} version
   */
  isGone({ last, name }) {
    return last < this.oldest && name === null;
  }

  /**
   * A version that only its name kept is no more.
   * @param {number} revision
   */
  forget(revision) {
    this.#entries = this.#entries.filter(({ last }) => last !== revision);
  }

  /**
   * @param {number} revision
   * @param {string|null} name
   */
  named(revision, name) {
    this.#entries = this.#entries.map((entry) => (entry.last === revision ? { ...entry, name } : entry));
  }
}
