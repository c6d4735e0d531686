/** When a replica must ask for what it lacks: a gap in the deltas, a head that stays ahead, a log that was replaced. */

const PATIENCE_MS = 2_000; // how long a head may stay ahead, by the wire contract
const MAX_PATIENCE_MS = 16_000; // a large catch-up may take the server a while to read
const REWIND_PATIENCE_MS = 5_000; // a hub's heartbeat may trail the log by a moment; longer, and an older log took its place

export class CatchUp {
  #now;
  #isAsking = false; // sheet.open has gone out and is not answered
  askedRevision = 0; // what it named
  #knownHead = 0; // the newest revision heard of
  #openedHead = 0; // where the catch-up that is under way leads
  #patience = PATIENCE_MS;
  /** @type {number|null} */ #behindSince = null;
  /** @type {number|null} */ #aheadSince = null;

  /** @param {() => number} now in milliseconds */
  constructor(now) {
    this.#now = now;
  }

  /**
   * sheet.open has gone out.
   * @param {number} revision
   */
  asked(revision) {
    this.#isAsking = true;
    this.askedRevision = revision;
  }

  /** @param {number} head what sheet.opened named */
  answered(head) {
    this.#isAsking = false;
    this.#openedHead = head;
  }

  disconnected() {
    this.#isAsking = false;
    this.#behindSince = null;
  }

  /** Deltas arrive: whatever is still missing may be on its way. */
  progressed() {
    this.#patience = PATIENCE_MS;
    if (this.#behindSince !== null) this.#behindSince = this.#now();
  }

  /**
   * @param {number} head a revision that the server has
   * @param {number} revision the replica's own
   */
  hearOf(head, revision) {
    this.#knownHead = Math.max(this.#knownHead, head);
    if (this.#knownHead <= revision) this.#behindSince = null;
    else this.#behindSince ??= this.#now();
  }

  /**
   * Say whether nothing newer is known of.
   * @param {number} revision
   */
  isUpToDate(revision) {
    return revision >= this.#knownHead;
  }

  /**
   * Say whether a delta that begins beyond `revision` calls for asking: not while an answer is under way.
   * @param {number} revision
   */
  isGap(revision) {
    return !this.#isAsking && revision >= this.#openedHead;
  }

  /** Say whether the head has stayed ahead for too long; each time the next wait is longer. */
  isOverdue() {
    if (this.#behindSince === null || this.#now() - this.#behindSince < this.#patience) return false;
    this.#behindSince = this.#now();
    this.#patience = Math.min(MAX_PATIENCE_MS, this.#patience * 2);
    return true;
  }

  /** The log that was known has been replaced. */
  startAfresh() {
    this.#knownHead = 0;
    this.#behindSince = null;
    this.#aheadSince = null;
  }

  /**
   * Say whether heartbeats stay below the replica: the database came back from a backup.
   * @param {number} head
   * @param {number} revision
   */
  isRewound(head, revision) {
    if (head >= revision) {
      this.#aheadSince = null;
      return false;
    }
    this.#aheadSince ??= this.#now();
    return this.#now() - this.#aheadSince >= REWIND_PATIENCE_MS;
  }
}
