/** One line that says whether what was typed is safe. */

import { gettext, ngettext } from "./words.js";

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
 * @property {boolean} isGuest whether nobody is signed in on this page
 * @property {boolean} isKept whether unsaved edits would survive the page
 */
/** @typedef {{tone: "calm"|"busy"|"waiting"|"alarm", text: string, detail: string}} Status */

const WORTH_COUNTING = 20_000; // cells; fewer are here before it could be read
const STEPS = 20;

const MOVING = 1012; // the process that served this tab ends, and another one takes over at once

/**
 * Return why there is no line any more.
 * @param {number} code
 * @param {boolean} isGuest
 */
function endOf(code, isGuest) {
  switch (code) {
    case 4401: return isGuest ? gettext("No longer open to guests: sign in to go on") : gettext("Signed out: sign in again to go on");
    case 4403: return gettext("You may no longer open this sheet");
    case 4404: return gettext("This sheet no longer exists");
    default: return gettext("Disconnected");
  }
}

/**
 * Return what to say about a situation.
 * @param {Situation} situation
 * @returns {Status}
 */
export function describe({ line, code, isLoaded, loading, mayEdit, isOnline, unsaved, isStruggling, isGuest, isKept }) {
  const lost = unsaved > 0 ? ` · ${ngettext("%(count)s edit not saved", "%(count)s edits not saved", unsaved)}` : "";
  const kept = isKept
    ? gettext("They are kept in this browser and will be sent, even if you close this page.")
    : gettext("This browser keeps nothing: do not close this page.");
  if (line === "stopped") return { tone: "alarm", text: endOf(code, isGuest) + lost, detail: unsaved > 0 ? kept : "" };
  if (line !== "open") {
    if (unsaved > 0 && code === MOVING) return { tone: isKept ? "busy" : "alarm", text: gettext("Saving…"), detail: kept };
    if (unsaved > 0) return { tone: "waiting", text: ngettext("Offline: %(count)s edit waiting", "Offline: %(count)s edits waiting", unsaved), detail: kept };
    if (!isOnline) return { tone: "waiting", text: gettext("Offline"), detail: gettext("You can go on: edits are sent when you are back.") };
    return { tone: "waiting", text: isLoaded ? gettext("Reconnecting…") : gettext("Connecting…"), detail: "" };
  }
  if (!isLoaded) return { tone: "busy", text: loading ? progressOf(loading) : gettext("Loading…"), detail: "" };
  if (!mayEdit) {
    const detail = unsaved > 0 ? kept : gettext("You can look at this sheet, not change it.");
    return { tone: unsaved > 0 ? "alarm" : "calm", text: gettext("View only") + lost, detail };
  }
  if (unsaved > 0 && isStruggling) {
    const text = ngettext("The server is busy: %(count)s edit waiting", "The server is busy: %(count)s edits waiting", unsaved);
    return { tone: "waiting", text, detail: kept };
  }
  if (unsaved > 0) return { tone: isKept ? "busy" : "alarm", text: gettext("Saving…"), detail: isKept ? "" : kept };
  return { tone: "calm", text: gettext("Saved"), detail: gettext("Every edit is in the sheet.") };
}

/**
 * Say how far a large load is, in steps: a screen reader speaks each of them.
 * @param {{cells: number, of: number}} loading
 */
function progressOf({ cells, of }) {
  if (of < WORTH_COUNTING) return gettext("Loading…");
  const step = Math.ceil(of / STEPS);
  const reached = cells - (cells % step);
  return gettext("Loading %(reached)s of %(all)s cells", { reached, all: of });
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
