/** Lines of text out of a stream of bytes, each as soon as it is whole. */

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @returns {AsyncGenerator<string>}
 */
export async function* linesOf(reader) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const [first, ...others] = decoder.decode(value, { stream: true }).split("\n");
    rest += first;
    for (const other of others) {
      yield rest;
      rest = other;
    }
  }
  if (rest !== "") yield rest;
}
