/** What a typed text looks like: enough to align it; what it means is the server's to say. */

const NUMBER = /^[+-]?[$€£¥]? ?((\d{1,3}(,\d{3})+|\d+)(\.\d*)?|\.\d+)([eE][+-]?\d+)? ?[%€]?$/;
const DATE = /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?$/;

/**
 * @param {string} text
 * @returns {"empty"|"number"|"boolean"|"text"}
 */
export function kindOf(text) {
  if (text === "") return "empty";
  if (text.length > 40) return "text";
  const trimmed = text.trim();
  if (NUMBER.test(trimmed) || DATE.test(trimmed)) return "number";
  if (/^(true|false)$/i.test(trimmed)) return "boolean";
  return "text";
}
