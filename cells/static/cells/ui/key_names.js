/** How keys are called: by the signs of the reader's machine, else by what keyboards of their language say. */

import { pgettext } from "./words.js";

const IS_MAC = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");

/** @type {(name: string) => string} */
function keyName(name) {
  switch (name) {
    case "Ctrl": return pgettext("key", "Ctrl");
    case "Alt": return pgettext("key", "Alt");
    case "Shift": return pgettext("key", "Shift");
    case "Enter": return pgettext("key", "Enter");
    case "Tab": return pgettext("key", "Tab");
    case "Space": return pgettext("key", "Space");
    case "Escape": return pgettext("key", "Escape");
    case "Delete": return pgettext("key", "Delete");
    case "Home": return pgettext("key", "Home");
    case "End": return pgettext("key", "End");
    case "Page Up": return pgettext("key", "Page Up");
    case "Page Down": return pgettext("key", "Page Down");
    default: return name;
  }
}

/**
 * Return how a shortcut is written.
 * @param {string} keys as English keyboards have them: `Ctrl+Shift+4`
 */
export function keysNamed(keys) {
  const signed = IS_MAC
    ? keys.replaceAll("Ctrl+Space", "⌃Space").replaceAll("Ctrl+", "⌘").replaceAll("Alt+", "⌥").replaceAll("Shift+", "⇧")
    : keys;
  return signed.replace(/Page Up|Page Down|[A-Z][a-z]+/g, keyName);
}
