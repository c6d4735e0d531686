/** What a sheet's page shows of streams: asked of the server now and then, and kept up by what changes. */

import { typedOf } from "../domain/references.js";
import { element } from "./elements.js";
import { FeedBadges } from "./feed_badges.js";
import { Origins, originOf } from "./origins.js";
import { ProposalCard } from "./proposal_card.js";
import { gettext } from "./words.js";

const POLL_MS = 10_000; // how late a badge may turn
const IDLE_MS = 60_000; // without feeds: somebody may bind one
const PATIENCE_MS = 15_000; // with an answer
const REST_MS = 200; // without scrolling, and what is in view is asked for

/** @typedef {import("./origins.js").Proposal} Proposal */
/** @typedef {import("./ports.js").Port} Port */
/**
 * @typedef {object} Around
 * @property {HTMLElement} stage what the grid lies in
 * @property {HTMLElement} foot
 * @property {HTMLElement} people
 * @property {string} token against forged requests
 * @property {import("./model.js").Model} model
 * @property {import("./selection.js").Selection} selection
 * @property {(axis: "rows"|"columns") => Port} port what is seen
 * @property {(row_id: number, column_id: number) => {cell: DOMRect, view: DOMRect}|null} rectOf
 * @property {(row_id: number, column_id: number) => string|null} addressOf
 * @property {(edits: import("../domain/operations.js").Edit[]) => void} write as one step of undo
 * @property {() => void} repaint
 * @property {() => void} focus
 * @property {(sentence: string) => void} say politely, to a screen reader
 * @property {(sentence: string) => void} tell
 */

export class Streams {
  #around;
  #origins;
  #badges;
  #card;
  #origin = element("p", "origin", { dir: "auto" });
  #hasBegun = false;
  #hasFeeds = false;
  #isOver = false;
  #askedAt = -Infinity;
  #view = "";
  #active = "";
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #resting;

  /** @param {Around} around */
  constructor(around) {
    const { stage, foot, people, say, tell } = around;
    this.#around = around;
    const reads = (/** @type {string} */ input) => typedOf(input, around.model);
    this.#origins = new Origins(reads);
    this.#badges = new FeedBadges(people, { say, tell });
    this.#card = new ProposalCard(stage, {
      rectOf: around.rectOf,
      addressOf: around.addressOf,
      typedOf: reads,
      mayEdit: () => around.model.mayEdit,
      accept: (proposal) => this.#accept(proposal),
      dismiss: (proposal) => void this.#dismiss(proposal),
      focus: around.focus,
      say,
    });
    foot.prepend(this.#origin);
    document.addEventListener("visibilitychange", () => {
      if (this.#hasBegun && performance.now() - this.#askedAt >= this.#pause) void this.#poll();
    });
  }

  get #pause() {
    return this.#hasFeeds ? POLL_MS : IDLE_MS;
  }

  /**
   * Return the marks of a row's cells, by column id, for the painter; undefined for none.
   * @param {number} row_id
   */
  row(row_id) {
    return this.#origins.row(row_id);
  }

  /**
   * Cells have changed, one's own among them.
   * @param {import("./tints.js").Changes} changes
   */
  take(changes) {
    this.#origins.take(changes);
  }

  /** The line is gone, and changes with it. */
  forget() {
    this.#origins.forget();
    this.#isOver = false;
    this.#view = "";
  }

  /** Something was painted: other rows may be in view, another cell be the active one. */
  painted() {
    if (!this.#around.model.isLoaded) return;
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      void this.#poll();
    }
    const seen = ["rows", "columns"].flatMap((axis) => {
      const { still, moving } = this.#around.port(/** @type {"rows"} */ (axis));
      return [still.last, moving.first, moving.last];
    });
    const view = [...seen, this.#around.model.rows.length, this.#around.model.columns.length].join();
    if (view !== this.#view) {
      this.#view = view;
      this.#lookSoon();
    }
    this.#showActive();
  }

  #lookSoon() {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => void this.#look(), REST_MS);
  }

  /** Ask for the rows in view that are not known yet. */
  async #look() {
    if (this.#isOver || document.visibilityState !== "visible") return;
    const columns = this.#idsInView("columns");
    const first = Math.min(...columns);
    const last = Math.max(...columns);
    const question = columns.length > 0 ? this.#origins.ask({ rows: this.#idsInView("rows"), first, last }) : null;
    if (question === null) return;
    const query = new URLSearchParams([...spansOf(question.rows).map((span) => ["rows", span]), ["columns", `${question.first}-${question.last}`]]);
    const answer = await this.#ask(`owned/?${query}`);
    this.#origins.answered(answer?.owned ?? null);
    if (answer === null) return;
    this.#around.repaint();
    this.#lookSoon(); // more may be in view by now
  }

  /** @param {"rows"|"columns"} axis */
  #idsInView(axis) {
    const { still, moving } = this.#around.port(axis);
    const ids = [];
    for (const { first, last } of [still, moving]) {
      for (let position = first; position <= last; position += 1) {
        const id = this.#around.model[axis].idAt(position);
        if (id !== undefined) ids.push(id);
      }
    }
    return ids;
  }

  /** Ask how the feeds are, and again after a while. */
  async #poll() {
    clearTimeout(this.#timer);
    if (document.visibilityState === "visible" && !this.#isOver) {
      this.#askedAt = performance.now();
      const answer = await this.#ask("");
      if (answer) {
        this.#hasFeeds = answer.feeds.length > 0;
        this.#badges.show(answer.feeds);
        this.#origins.propose(answer.proposals);
        this.#around.repaint();
      }
      this.#active = ""; // whose stream it is may have to be asked again
      this.#lookSoon();
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#poll(), this.#pause);
  }

  /**
   * Return an answer; null without one: then all stays as it is shown.
   * @param {string} path
   */
  async #ask(path) {
    try {
      const answer = await fetch(`feeds/${path}`, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE_MS) });
      const text = await answer.text();
      if (answer.status === 403 || answer.status === 404) this.#isOver = true; // until the line is back
      return answer.ok ? JSON.parse(text) : null;
    } catch {
      return null;
    }
  }

  #showActive() {
    const { model, selection } = this.#around;
    const { row, column } = selection.active;
    const row_id = model.rows.idAt(row);
    const column_id = model.columns.idAt(column);
    if (row_id === undefined || column_id === undefined) return;
    const name = this.#origins.streamOf(row_id, column_id);
    const says = name === undefined ? "" : originOf(name);
    if (this.#origin.textContent !== says) this.#origin.textContent = this.#origin.title = says;
    this.#card.show(selection.isSingle ? this.#origins.proposalFor(row_id, column_id) : null);
    const active = `${row_id},${column_id}`;
    if (active === this.#active || !this.#origins.doubts(row_id, column_id)) return;
    this.#active = active;
    this.#lookSoon();
  }

  /** @param {Proposal} proposal */
  #accept(proposal) {
    this.#origins.settle(proposal);
    this.#around.write([[proposal.row, proposal.column, proposal.input]]);
    this.#around.repaint();
  }

  /** @param {Proposal} proposal */
  async #dismiss(proposal) {
    this.#origins.settle(proposal);
    this.#around.repaint();
    if (await this.#post(proposal)) return;
    this.#origins.reopen(proposal);
    this.#around.repaint();
    this.#around.tell(gettext("The proposal could not be dismissed. Try again, or reload the page."));
  }

  /**
   * Dismiss a proposal; say whether it is gone.
   * @param {Proposal} proposal
   */
  async #post({ row, column, input }) {
    try {
      const answer = await fetch("feeds/dismiss/", {
        method: "POST",
        signal: AbortSignal.timeout(PATIENCE_MS),
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.#around.token },
        body: JSON.stringify({ row, column, input }),
      });
      await answer.text(); // what nobody reads keeps its connection
      return answer.ok;
    } catch {
      return false;
    }
  }
}

/**
 * Return ids as spans from the first to the last, in text.
 * @param {number[]} ids
 */
export function spansOf(ids) {
  /** @type {[number, number][]} */
  const spans = [];
  for (const id of [...ids].sort((one, other) => one - other)) {
    const span = spans.at(-1);
    if (span && id <= span[1] + 1) span[1] = id;
    else spans.push([id, id]);
  }
  return spans.map(([first, last]) => `${first}-${last}`);
}
