/** What a screen reader says of its own accord of what others change: at a polite rate. */

import { gettext, locale, ngettext } from "./words.js";

const GATHER_MS = 800; // what belongs together is said together
const PAUSE_MS = 5_000; // between two sentences about others
const MAX_PAUSE_MS = 60_000; // a stream that never rests is not worth a sentence every five seconds
const MAX_SPOKEN = 80; // characters of a cell's text
const MAX_NAMES = 3;

/** @typedef {[author: string|null, cells: [row_id: number, column_id: number, input: string, ...unknown[]][]][]} Changes */
/** @typedef {{name: string, isPerson: boolean, cells: Set<string>, last: {row: number, column: number, input: string}}} Author */
/**
 * @typedef {object} Around
 * @property {(author: string|null) => {name: string, isPerson: boolean}|null} who null: not worth a word
 * @property {(row_id: number, column_id: number) => string|null} addressOf null for a cell that is gone
 * @property {(row_id: number, column_id: number, input: string) => string} textOf what to say of an input, and of what it comes to
 * @property {(sentence: string) => void} polite
 * @property {(run: () => void, ms: number) => unknown} setTimeout
 * @property {() => number} now in milliseconds
 */

export class Announcer {
  /** @type {Map<string|null, Author>} */ #authors = new Map();
  #around;
  #isWaiting = false;
  #last = -Infinity;
  #pause = PAUSE_MS;
  isOn = true;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
  }

  /**
   * Others have changed cells: say so when it is time.
   * @param {Changes} changes
   */
  take(changes) {
    if (!this.isOn) return;
    for (const [label, cells] of changes) {
      const who = this.#around.who(label);
      if (who === null || cells.length === 0) continue;
      const author = this.#authors.get(label) ?? { ...who, cells: new Set(), last: { row: 0, column: 0, input: "" } };
      for (const [row, column, input] of cells) {
        author.cells.add(`${row},${column}`);
        author.last = { row, column, input };
      }
      this.#authors.set(label, author);
    }
    this.#sayLater();
  }

  #sayLater() {
    if (this.#isWaiting || this.#authors.size === 0) return;
    this.#isWaiting = true;
    const now = this.#around.now();
    const wait = Math.max(GATHER_MS, this.#last + this.#pause - now);
    this.#around.setTimeout(() => {
      this.#isWaiting = false;
      this.#say();
    }, wait);
  }

  #say() {
    const authors = [...this.#authors.values()];
    this.#authors.clear();
    if (!this.isOn || authors.length === 0) return;
    const now = this.#around.now();
    const isProgramsAlone = authors.every(({ isPerson }) => !isPerson);
    const isOngoing = now - this.#last < 2 * this.#pause;
    this.#pause = isProgramsAlone && isOngoing ? Math.min(MAX_PAUSE_MS, this.#pause * 2) : PAUSE_MS;
    this.#last = now;
    const sentence = sentenceOf(authors, this.#around);
    if (sentence) this.#around.polite(sentence);
  }
}

/**
 * Return one sentence about what others did.
 * @param {Author[]} authors
 * @param {Pick<Around, "addressOf"|"textOf">} around
 */
export function sentenceOf(authors, { addressOf, textOf }) {
  const count = authors.reduce((sum, { cells }) => sum + cells.size, 0);
  if (count === 1) {
    const [{ name, last }] = authors;
    const address = addressOf(last.row, last.column);
    if (address === null) return "";
    const whole = textOf(last.row, last.column, last.input);
    const text = whole.length > MAX_SPOKEN ? `${whole.slice(0, MAX_SPOKEN)}…` : whole;
    if (text === "") return gettext("%(name)s emptied %(address)s", { name, address });
    return gettext("%(name)s changed %(address)s to %(text)s", { name, address, text });
  }
  const names = authors.slice(0, MAX_NAMES).map(({ name }) => name);
  const others = authors.length - names.length;
  if (others > 0) names.push(ngettext("%(count)s other", "%(count)s others", others));
  return ngettext("%(count)s cell changed by %(names)s", "%(count)s cells changed by %(names)s", count, { names: listOf(names) });
}

/** @param {string[]} names */
function listOf(names) {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format([...new Set(names)]);
}
