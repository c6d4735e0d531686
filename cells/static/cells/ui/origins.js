/**
 * Which cells a stream wrote last, and what streams propose for others.
 *
 * The server is asked about rows that come into view, once; what changes from then on is heard live. A change names no
 * stream, so the name of a cell's stream may have to be asked for again.
 */

import { CellMap } from "../domain/cells.js";
import { gettext } from "./words.js";

const MAX_ROWS = 200; // the server's limit to a question
const BLOCK = 32; // columns are asked for in blocks, not one by one as they scroll into view

/** @typedef {import("./tints.js").Changes} Changes */
/** @typedef {{kind: string, says: string, color?: string}} Mark of a cell, for the painter: stream, proposal, changed (in an author's colour), protected, or two of them; one object for all that are alike */
/** @typedef {{row: number, column: number, input: string, feed: string}} Proposal `row` and `column` are ids */
/** @typedef {{rows: number[], first: number, last: number}} Question rows, and columns from the first to the last; by id */

export class Origins {
  /** @type {CellMap<string>} what streams wrote: the stream's name, "" while that is not known */ #names = new CellMap();
  /** @type {CellMap<true>} whose stream may be another one by now */ #unsure = new CellMap();
  /** @type {CellMap<Proposal>} */ #proposals = new CellMap();
  /** @type {CellMap<string>} texts that were accepted or dismissed here, while the server still proposes them */ #settled = new CellMap();
  /** @type {CellMap<Mark>} */ #marks = new CellMap();
  /** @type {Map<string, Mark>} by what they say */ #kinds = new Map();
  /** @type {Map<number, {first: number, last: number}>} the columns of each row that are known */ #known = new Map();
  /** @type {{question: Question, touched: CellMap<true>}|null} what is being asked, and what changed meanwhile */ #asking = null;
  #typedOf;

  /** @param {(input: string) => string} [typedOf] an input as it reads now */
  constructor(typedOf = (input) => input) {
    this.#typedOf = typedOf;
  }

  /**
   * Return the marks of a row's cells, by column id, for the painter; undefined for none.
   * @param {number} row_id
   * @returns {ReadonlyMap<number, Mark>|undefined}
   */
  row(row_id) {
    return this.#marks.row(row_id);
  }

  /**
   * Return the name of the stream that wrote a cell last: "" if that is not known, undefined if it was none.
   * @param {number} row
   * @param {number} column
   */
  streamOf(row, column) {
    return this.#names.get(row, column);
  }

  /**
   * @param {number} row
   * @param {number} column
   * @returns {Proposal|null}
   */
  proposalFor(row, column) {
    return this.#proposals.get(row, column) ?? null;
  }

  /**
   * Return what has to be asked to know the cells of some rows and columns; null for nothing, or while something is asked.
   * @param {Question} view by id
   * @returns {Question|null}
   */
  ask({ rows, first, last }) {
    if (this.#asking || last < first) return null;
    const low = first - (first % BLOCK);
    const high = last - (last % BLOCK) + BLOCK - 1;
    const isKnown = (/** @type {number} */ row) => {
      const known = this.#known.get(row);
      return known !== undefined && known.first <= first && known.last >= last;
    };
    const missing = rows.filter((row) => !isKnown(row)).slice(0, MAX_ROWS);
    if (missing.length === 0) return null;
    this.#asking = { question: { rows: missing, first: low, last: high }, touched: new CellMap() };
    return this.#asking.question;
  }

  /**
   * Take the answer to what was asked last.
   * @param {[row_id: number, column_id: number, name: string][]|null} owned null: there was none
   */
  answered(owned) {
    if (this.#asking === null) return;
    const { question: { rows, first, last }, touched } = this.#asking;
    this.#asking = null;
    if (owned === null) return;
    const isFresh = (/** @type {number} */ row, /** @type {number} */ column) => !touched.get(row, column);
    for (const row of rows) {
      for (const column of [...(this.#names.row(row)?.keys() ?? [])]) {
        if (column >= first && column <= last && isFresh(row, column)) this.#setName(row, column, undefined);
      }
      const known = this.#known.get(row);
      const isNear = known !== undefined && known.first <= last + 1 && known.last >= first - 1;
      this.#known.set(row, isNear ? { first: Math.min(known.first, first), last: Math.max(known.last, last) } : { first, last });
    }
    for (const [row, column, name] of owned) {
      if (!isFresh(row, column)) continue;
      this.#setName(row, column, name);
      this.#unsure.delete(row, column);
    }
  }

  /**
   * Cells have changed, one's own among them.
   * @param {Changes} changes
   */
  take(changes) {
    for (const [author, cells] of changes) {
      for (const [row, column] of cells) {
        this.#asking?.touched.set(row, column, true);
        this.#setProposal(row, column, undefined); // whoever wrote has answered
        const name = this.#names.get(row, column);
        if (author === "stream" && (name !== undefined || this.#known.has(row) || this.#asking)) {
          this.#setName(row, column, name ?? "");
          this.#unsure.set(row, column, true);
        } else {
          this.#setName(row, column, undefined);
          if (author === null) this.#known.delete(row);
        }
      }
    }
  }

  /**
   * Say whether the name of a cell's stream has to be asked for again, and have that done.
   * @param {number} row
   * @param {number} column
   */
  doubts(row, column) {
    const isDoubtful = this.#unsure.get(row, column) === true;
    if (isDoubtful) this.#known.delete(row);
    return isDoubtful;
  }

  /**
   * Take what is proposed now.
   * @param {[row_id: number, column_id: number, input: string, feed: string][]} proposals
   */
  propose(proposals) {
    /** @type {CellMap<Proposal>} */
    const now = new CellMap();
    for (const [row, column, input, feed] of proposals) {
      const known = this.#proposals.get(row, column);
      now.set(row, column, known?.input === input && known.feed === feed ? known : { row, column, input, feed });
    }
    for (const [row, column] of [...this.#settled.among()]) {
      if (now.get(row, column)?.input === this.#settled.get(row, column)) now.delete(row, column);
      else this.#settled.delete(row, column);
    }
    for (const [row, column] of [...this.#proposals.among()]) {
      if (!now.get(row, column)) this.#setProposal(row, column, undefined);
    }
    for (const [row, column] of now.among()) this.#setProposal(row, column, now.get(row, column));
  }

  /**
   * A proposal was accepted or dismissed: it is not shown again while the server has not heard of that.
   * @param {Proposal} proposal
   */
  settle({ row, column, input }) {
    this.#settled.set(row, column, input);
    this.#setProposal(row, column, undefined);
  }

  /**
   * It could not be dismissed: it is open again.
   * @param {Proposal} proposal
   */
  reopen(proposal) {
    this.#settled.delete(proposal.row, proposal.column);
    this.#setProposal(proposal.row, proposal.column, proposal);
  }

  /** Changes may have been missed: what is in view is asked for again. */
  forget() {
    this.#known.clear();
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {string|undefined} name
   */
  #setName(row, column, name) {
    if (name === undefined) {
      if (this.#names.get(row, column) === undefined) return;
      this.#names.delete(row, column);
      this.#unsure.delete(row, column);
    } else {
      this.#names.set(row, column, name);
    }
    this.#mark(row, column);
  }

  /**
   * @param {number} row
   * @param {number} column
   * @param {Proposal|undefined} proposal
   */
  #setProposal(row, column, proposal) {
    if (this.#proposals.get(row, column) === proposal) return;
    if (proposal) this.#proposals.set(row, column, proposal);
    else this.#proposals.delete(row, column);
    this.#mark(row, column);
  }

  /**
   * @param {number} row
   * @param {number} column
   */
  #mark(row, column) {
    const proposal = this.#proposals.get(row, column);
    const name = this.#names.get(row, column);
    if (proposal) this.#marks.set(row, column, this.#alike("proposal", proposalOf(proposal.feed, this.#typedOf(proposal.input))));
    else if (name !== undefined) this.#marks.set(row, column, this.#alike("stream", originOf(name)));
    else this.#marks.delete(row, column);
  }

  /**
   * @param {Mark["kind"]} kind
   * @param {string} says
   * @returns {Mark}
   */
  #alike(kind, says) {
    if (kind === "proposal") return { kind, says }; // they are few, and each says something else
    const known = this.#kinds.get(says) ?? { kind, says };
    this.#kinds.set(says, known);
    return known;
  }
}

/**
 * Return what to say of a cell that a stream wrote.
 * @param {string} name "" if it is not known
 */
export function originOf(name) {
  return name === "" ? gettext("From a stream") : gettext("From %(name)s", { name });
}

const MAX_SHOWN = 120; // characters of a proposed text

/**
 * Return what a stream proposes.
 * @param {string} feed
 * @param {string} typed as its input reads
 */
export function proposalOf(feed, typed) {
  if (typed === "") return gettext("%(name)s proposes to empty the cell", { name: feed });
  const text = typed.length > MAX_SHOWN ? `${typed.slice(0, MAX_SHOWN)}…` : typed;
  return gettext("%(name)s proposes “%(text)s”", { name: feed, text });
}
