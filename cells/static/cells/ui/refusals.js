/** What a refusal means to the person whose edit it was: no ids, and no words of the protocol. */

import { gettext, locale } from "./words.js";

/** @typedef {import("../domain/operations.js").Intended} Intended */

const isEnglish = locale.startsWith("en");

/**
 * Return why an edit was not saved.
 * @param {string} code the protocol's; decides
 * @param {string} message the server's, in English; said only where it knows more, as which limit it was
 * @param {boolean} isOwnDeletion whether it was this page that deleted what the edit was for
 */
export function reasonOf(code, message, isOwnDeletion) {
  switch (code) {
    case "deleted": return isOwnDeletion ? gettext("The row or column has been deleted.") : gettext("Somebody deleted this row or column.");
    case "forbidden": return gettext("You may not change this sheet.");
    case "protected": return isEnglish && message ? message : gettext("A part of it is protected. Ask the sheet's owner to let you edit it.");
    case "protected_end": return isEnglish && message ? message : gettext("It would move an end of a protected range away from the rest. Move all of the range, or let an owner change the range first.");
    case "no_such_sheet": return gettext("This sheet no longer exists.");
    case "unknown_id": return gettext("That row or column is not in this sheet.");
    case "malformed": return gettext("This page and the server did not understand each other. Reload the page and try again.");
    case "invalid_text": return gettext("The text holds characters that a cell cannot keep.");
    case "invalid_address": return gettext("There is no such cell.");
    case "internal": return gettext("The server could not save this. Try again.");
    case "pruned": return isEnglish && message ? message : gettext("The history of this sheet does not reach back that far any more.");
    case "limit_exceeded": return isEnglish && message ? message : gettext("That is more than a sheet, or a cell, can hold.");
    default: return message || code;
  }
}

/**
 * Return why a version was not restored.
 * @param {string} code
 * @param {string} message
 * @param {boolean} isOwnDeletion
 */
function restoreReasonOf(code, message, isOwnDeletion) {
  switch (code) {
    case "outdated": return gettext("The sheet was changed meanwhile. Look at it and restore again.");
    case "limit_exceeded": return gettext("This version differs in too many cells to be restored at once. Select a part and restore that.");
    default: return reasonOf(code, message, isOwnDeletion);
  }
}

/**
 * Return the whole sentence about a refusal.
 * @param {{code: string, message: string, operation: Intended}} refusal
 * @param {boolean} isOwnDeletion as for reasonOf
 */
export function refusalOf({ code, message, operation }, isOwnDeletion) {
  const { kind } = operation;
  if (kind === "restore") return gettext("Not restored: %(reason)s", { reason: restoreReasonOf(code, message, isOwnDeletion) });
  if (kind !== "undo" && kind !== "redo") return gettext("Not saved: %(reason)s", { reason: reasonOf(code, message, isOwnDeletion) });
  if (code === "nothing_to_undo") return gettext("There is nothing left to undo: that has been taken back already, or it is too long ago.");
  if (code === "nothing_to_redo") return gettext("There is nothing left to redo: that has been done again already, or it is too long ago.");
  const reason = code === "forbidden" ? gettext("Only your own edits can be taken back.") : reasonOf(code, message, isOwnDeletion);
  return kind === "undo" ? gettext("Not undone: %(reason)s", { reason }) : gettext("Not redone: %(reason)s", { reason });
}
