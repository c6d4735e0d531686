/** What a refusal means to the person whose edit it was: no ids, and no words of the protocol. */

import { gettext } from "./words.js";

/** @typedef {import("../domain/operations.js").Intended} Intended */

/** @type {Record<string, string>} */
const SENTENCES = {
  forbidden: "You may not change this sheet.",
  unknown_id: "That row or column is not in this sheet.",
  malformed: "This page and the server did not understand each other. Reload the page and try again.",
  invalid_text: "The text holds characters that a cell cannot keep.",
  invalid_address: "There is no such cell.",
  internal: "The server could not save this. Try again.",
};

/**
 * Return why an edit was not saved.
 * @param {string} code the protocol's; decides
 * @param {string} message the server's; said only where it is written for people, as limits are
 * @param {boolean} isOwnDeletion whether it was this page that deleted what the edit was for
 */
export function reasonOf(code, message, isOwnDeletion) {
  if (code === "deleted") return isOwnDeletion ? "The row or column has been deleted." : "Somebody deleted this row or column.";
  return SENTENCES[code] ?? (message || code);
}

/**
 * Return the whole sentence about a refusal.
 * @param {{code: string, message: string, operation: Intended}} refusal
 * @param {boolean} isOwnDeletion as for reasonOf
 */
export function refusalOf({ code, message, operation }, isOwnDeletion) {
  const { kind } = operation;
  if (kind !== "undo" && kind !== "redo") return `Not saved: ${reasonOf(code, message, isOwnDeletion)}`;
  if (code === "nothing_to_undo") return gettext("There is nothing left to undo: that has been taken back already, or it is too long ago.");
  if (code === "nothing_to_redo") return gettext("There is nothing left to redo: that has been done again already, or it is too long ago.");
  const reason = code === "forbidden" ? gettext("Only your own edits can be taken back.") : reasonOf(code, message, isOwnDeletion);
  return kind === "undo" ? gettext("Not undone: %(reason)s", { reason }) : gettext("Not redone: %(reason)s", { reason });
}
