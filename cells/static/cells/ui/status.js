/** One line that says whether what was typed is safe. */

/**
 * @typedef {object} Situation
 * @property {"connecting"|"open"|"waiting"|"stopped"} line
 * @property {number} code why the line was closed
 * @property {boolean} isLoaded
 * @property {{cells: number, of: number}|null} [loading] how far the first load is, if that is known
 * @property {boolean} mayEdit
 * @property {boolean} isOnline what the browser says
 * @property {number} unsaved edits
 * @property {boolean} isStruggling whether the server keeps refusing for now
 * @property {boolean} isKept whether unsaved edits would survive the page
 */
/** @typedef {{tone: "calm"|"busy"|"waiting"|"alarm", text: string, detail: string}} Status */

const WORTH_COUNTING = 20_000; // cells; fewer are here before it could be read
const STEPS = 20;

/** @type {Record<number, string>} */
const ENDS = {
  4401: "Signed out: sign in again to go on",
  4403: "You may no longer open this sheet",
  4404: "This sheet no longer exists",
};

const MOVING = 1012; // the process that served this tab ends, and another one takes over at once

/**
 * Return what to say about a situation.
 * @param {Situation} situation
 * @returns {Status}
 */
export function describe({ line, code, isLoaded, loading, mayEdit, isOnline, unsaved, isStruggling, isKept }) {
  const edits = unsaved === 1 ? "1 edit" : `${unsaved.toLocaleString("en")} edits`;
  const kept = isKept
    ? "They are kept in this browser and will be sent, even if you close this page."
    : "This browser keeps nothing: do not close this page.";
  if (line === "stopped") {
    const end = ENDS[code] ?? "Disconnected";
    return { tone: "alarm", text: unsaved > 0 ? `${end} · ${edits} not saved` : end, detail: unsaved > 0 ? kept : "" };
  }
  if (line !== "open") {
    if (unsaved > 0 && code === MOVING) return { tone: isKept ? "busy" : "alarm", text: "Saving…", detail: kept };
    if (unsaved > 0) return { tone: "waiting", text: `Offline: ${edits} waiting`, detail: kept };
    if (!isOnline) return { tone: "waiting", text: "Offline", detail: "You can go on: edits are sent when you are back." };
    return { tone: "waiting", text: isLoaded ? "Reconnecting…" : "Connecting…", detail: "" };
  }
  if (!isLoaded) return { tone: "busy", text: loading ? progressOf(loading) : "Loading…", detail: "" };
  if (!mayEdit) {
    const waiting = unsaved > 0 ? ` · ${edits} not saved` : "";
    return { tone: unsaved > 0 ? "alarm" : "calm", text: `View only${waiting}`, detail: unsaved > 0 ? kept : "You can look at this sheet, not change it." };
  }
  if (unsaved > 0 && isStruggling) return { tone: "waiting", text: `The server is busy: ${edits} waiting`, detail: kept };
  if (unsaved > 0) return { tone: isKept ? "busy" : "alarm", text: "Saving…", detail: isKept ? "" : kept };
  return { tone: "calm", text: "Saved", detail: "Every edit is in the sheet." };
}

/**
 * Say how far a large load is, in steps: a screen reader speaks each of them.
 * @param {{cells: number, of: number}} loading
 */
function progressOf({ cells, of }) {
  if (of < WORTH_COUNTING) return "Loading…";
  const step = Math.ceil(of / STEPS);
  const reached = cells - (cells % step);
  return `Loading ${reached.toLocaleString("en")} of ${of.toLocaleString("en")} cells`;
}

/**
 * @param {HTMLElement} line
 * @param {Status} status
 */
export function paintStatus(line, { tone, text, detail }) {
  line.dataset.tone = tone;
  line.title = detail;
  if (line.textContent !== text) line.textContent = text;
}
