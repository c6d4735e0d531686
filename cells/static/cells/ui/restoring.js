/** Making a version of the past the present again: the question before it, and what is told until it is done. */

import { askWhether } from "./asking.js";
import { gettext, ngettext } from "./words.js";

/**
 * @typedef {object} Around
 * @property {(sentence: string) => () => void} wait say what is being done, until what it returns is called
 * @property {(sentence: string, label: string, run: () => void) => void} offer
 * @property {(operation_id: string) => void} undo
 */

/** Restores that are on their way: nothing is called restored until the log has it. */
export class Restores {
  #around;
  /** @type {Map<string, {when: string, done: () => void}>} by the operation's id */ #waiting = new Map();

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
  }

  /**
   * A restore was submitted.
   * @param {string} operation_id
   * @param {string} when which version it is
   */
  began(operation_id, when) {
    this.#waiting.set(operation_id, { when, done: this.#around.wait(gettext("Restoring: %(when)s…", { when })) });
  }

  /**
   * It is in the log.
   * @param {string} operation_id
   * @param {number} left how many cells of its range are in rows or columns that were deleted
   */
  restored(operation_id, left) {
    const when = this.#end(operation_id);
    const sentence = when === null ? gettext("The version was restored.") : gettext("Restored: %(when)s", { when });
    const said = [sentence, left > 0 ? leftOut(left) : ""].filter(Boolean).join(" · ");
    this.#around.offer(said, gettext("Undo"), () => this.#around.undo(operation_id));
  }

  /**
   * An operation was refused: whoever refuses says why.
   * @param {string} operation_id of a restore, or another one
   */
  refused(operation_id) {
    this.#end(operation_id);
  }

  /** @param {string} operation_id */
  #end(operation_id) {
    const waiting = this.#waiting.get(operation_id);
    this.#waiting.delete(operation_id);
    waiting?.done();
    return waiting?.when ?? null; // null: it was submitted before the page was reloaded
  }
}

/** @param {number} count */
function leftOut(count) {
  return ngettext(
    "%(count)s cell is left out: its row or column was deleted. Restore the whole version to get it back.",
    "%(count)s cells are left out: their rows or columns were deleted. Restore the whole version to get them back.",
    count,
  );
}

/**
 * Ask whether to restore; resolves to whether that is wanted.
 * @param {string} when which version it is
 * @param {string|null} range what is to be restored of it, as A1; null: all of it
 * @returns {Promise<boolean>}
 */
export function askToRestore(when, range) {
  const title = range === null ? gettext("Restore this version?") : gettext("Restore %(range)s of this version?", { range });
  const what =
    range === null
      ? gettext("Cells, formats, rows and columns become what they were then, for everybody who has this sheet open.")
      : gettext("These cells and their formats become what they were then, for everybody who has this sheet open. All others stay as they are.");
  const text = `${when}. ${what} ${gettext("What has come since stays in the history, and you can undo this.")}`;
  return askWhether(title, text, gettext("Restore"));
}

/**
 * Ask whether a version that only its name keeps is to go; resolves to whether that is wanted.
 * @param {string} name
 */
export function askToForget(name) {
  const title = gettext("Remove “%(name)s” for good?", { name });
  const text = gettext("The history does not reach back to this version any more: it is only kept by its name. Without it, it can never be looked at or restored again, by anybody.");
  return askWhether(title, text, gettext("Remove for good"));
}
