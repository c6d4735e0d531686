/** Refusals with stable codes, the same codes as cells/domain/errors.py. */

/** @typedef {"malformed"|"forbidden"|"unknown_id"|"deleted"|"limit_exceeded"|"invalid_text"|"invalid_address"} ErrorCode */

/** A refusal: decide on `code`, never on the message. */
export class SheetSyncError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = "SheetSyncError";
    this.code = code;
  }
}
