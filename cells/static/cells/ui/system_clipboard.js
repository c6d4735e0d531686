/** The clipboard of the system, as far as a browser lets a page have it. */

/**
 * Say whether a text could be put on the clipboard; pages that came over plain HTTP have none.
 * @param {string} text
 * @param {string} [html] the same with its looks
 * @returns {Promise<boolean>}
 */
export async function writeClipboard(text, html = "") {
  const { clipboard } = navigator;
  if (!clipboard) return false;
  const isDone = () => true;
  if (html !== "" && globalThis.ClipboardItem) {
    const parts = { "text/plain": new Blob([text], { type: "text/plain" }), "text/html": new Blob([html], { type: "text/html" }) };
    if (await clipboard.write([new ClipboardItem(parts)]).then(isDone, () => false)) return true;
  }
  return clipboard.writeText(text).then(isDone, () => false);
}

/**
 * Return what is on the clipboard, with its looks where the browser lets them be read; null if it lets nothing.
 * @returns {Promise<{text: string, html: string}|null>}
 */
export async function readClipboard() {
  const { clipboard } = navigator;
  if (!clipboard) return null;
  try {
    /** @type {Record<string, string>} */
    const found = {};
    for (const item of await clipboard.read()) {
      for (const type of item.types) if (type.startsWith("text/")) found[type] ??= await (await item.getType(type)).text();
    }
    return { text: found["text/plain"] ?? "", html: found["text/html"] ?? "" };
  } catch {
    const text = await clipboard.readText?.().catch(() => undefined);
    return text === undefined ? null : { text, html: "" };
  }
}
