/** Where the browser keeps small things of this page. */

/** @returns {Storage|null} null where it may not */
export function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
