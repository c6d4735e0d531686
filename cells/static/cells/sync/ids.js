/** Ids of operations and clients: UUIDs of version 7, which begin with the time (RFC 9562, section 5.7). */

/**
 * Return a new UUID, also where crypto.randomUUID is missing because the page came over plain HTTP.
 *
 * Ids that follow each other stand side by side in the log's index, however long the log is; random ones would each
 * touch a page of their own.
 */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
