/** A sheet's versions, newest first, as far as they were asked for. */

/** @typedef {import("./change_words.js").Author} Author */
/** @typedef {{first: number, last: number, started_at: string, ended_at: string, authors: Author[], operations: number, name: string|null}} Version revisions `first` to `last`, made by the same people without a pause */
/** @typedef {{entries: Version[], before: number|null}} Page `before`: what to ask for next */

export class TimeLine {
  /** @type {Version[]} */ #versions = [];
  /** @type {number|null} What to ask for next; null: there is no more. */ before = null;

  /** @returns {readonly Version[]} */
  get versions() {
    return this.#versions;
  }

  /**
   * Take the newest versions: what is known of them otherwise is out of date.
   * @param {Page} page
   */
  takeNewest({ entries, before }) {
    const oldest = entries.at(-1)?.first ?? 0;
    const older = this.#versions.filter(({ last }) => last < oldest);
    const isCut = this.#versions.some(({ first, last }) => first < oldest && last >= oldest);
    const isJoined = older.length > 0 && this.#versions[0].last >= oldest && !isCut;
    if (!isJoined) this.before = before; // what lies between is not here
    this.#versions = [...entries, ...(isJoined ? older : [])];
  }

  /** @param {Page} page */
  takeOlder({ entries, before }) {
    this.#versions.push(...entries);
    this.before = before;
  }

  /**
   * @param {number} revision
   * @param {string|null} name
   */
  named(revision, name) {
    this.#versions = this.#versions.map((version) => (version.last === revision ? { ...version, name } : version));
  }
}
