/** What a key means while no cell is being edited. */

/**
 * @typedef {{kind: "move", down: number, right: number, isJump: boolean, isExtending: boolean}
 *   | {kind: "page", down: 1|-1, isExtending: boolean}
 *   | {kind: "home"|"end", isFar: boolean, isExtending: boolean}
 *   | {kind: "tab"|"enter", direction: 1|-1}
 *   | {kind: "edit"|"type"|"clear"|"all"|"row"|"column"|"escape"|"menu"|"leave"|"undo"|"redo"|"fill down"|"fill right"}
 *   | {kind: "page across", right: 1|-1, isExtending: boolean}
 *   | {kind: "shift", axis: "rows"|"columns", direction: 1|-1}
 *   | {kind: "insert"|"delete"}} Command
 */

/** @type {Record<string, [down: number, right: number]>} */
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * @param {KeyboardEvent} event
 * @returns {Command|null} null: not for the grid
 */
export function commandOf(event) {
  const { key, shiftKey: isExtending } = event;
  const isFar = event.ctrlKey || event.metaKey;
  const direction = event.shiftKey ? -1 : 1;
  // Input methods and AltGr type characters with keys that look like commands.
  if (key === "Process" || event.isComposing) return { kind: "type" };
  if (key.length === 1 && (event.getModifierState("AltGraph") || !(isFar || event.altKey))) {
    return key === " " && event.shiftKey ? { kind: "row" } : { kind: "type" };
  }
  if (isFar && event.altKey && !event.getModifierState("AltGraph")) {
    if (event.code === "Equal" || key === "=" || key === "+") return { kind: "insert" };
    if (event.code === "Minus" || key === "-") return { kind: "delete" };
  }
  if (key in ARROWS && event.altKey && event.shiftKey && !isFar) {
    const [down, right] = ARROWS[key];
    return { kind: "shift", axis: down === 0 ? "columns" : "rows", direction: down + right > 0 ? 1 : -1 };
  }
  if (event.altKey && !isFar && (key === "PageUp" || key === "PageDown")) {
    return { kind: "page across", right: key === "PageDown" ? 1 : -1, isExtending };
  }
  if (key in ARROWS && !event.altKey) {
    return { kind: "move", down: ARROWS[key][0], right: ARROWS[key][1], isJump: isFar, isExtending };
  }
  switch (key) {
    case "Tab": return isFar || event.altKey ? null : { kind: "tab", direction };
    case "Enter": return isFar || event.altKey ? null : { kind: "enter", direction };
    case "PageUp": return isFar || event.altKey ? null : { kind: "page", down: -1, isExtending };
    case "PageDown": return isFar || event.altKey ? null : { kind: "page", down: 1, isExtending };
    case "Home": return { kind: "home", isFar, isExtending };
    case "End": return { kind: "end", isFar, isExtending };
    case "F2": return { kind: "edit" };
    case "F6": return isFar ? { kind: "leave" } : null; // as in Excel for the web; F6 alone is the browser's
    case "Delete":
    case "Backspace": return { kind: "clear" };
    case "Escape": return { kind: "escape" };
    case "ContextMenu": return { kind: "menu" };
    case "F10": return event.shiftKey ? { kind: "menu" } : null;
    case " ": return isFar ? { kind: "column" } : null;
    case "a":
    case "A": return isFar && !event.shiftKey ? { kind: "all" } : null;
    case "d":
    case "D": return isFar && !event.altKey && !event.shiftKey ? { kind: "fill down" } : null;
    case "r":
    case "R": return isFar && !event.altKey && !event.shiftKey ? { kind: "fill right" } : null;
    case "z":
    case "Z": return isFar && !event.altKey ? { kind: event.shiftKey ? "redo" : "undo" } : null;
    case "y":
    case "Y": return isFar && !event.altKey && !event.shiftKey ? { kind: "redo" } : null;
    default: return null;
  }
}
