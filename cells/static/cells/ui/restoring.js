/** Asking before a version of the past is made the present again: what that does, and to whom. */

import { element } from "./elements.js";
import { gettext } from "./words.js";

/**
 * Ask whether to restore; resolves to whether that is wanted.
 * @param {string} when which version it is
 * @param {string|null} range what is to be restored of it, as A1; null: all of it
 * @returns {Promise<boolean>}
 */
export function askToRestore(when, range) {
  const dialog = element("dialog", "restoring", { "aria-labelledby": "restoring-title", "aria-describedby": "restoring-text" });
  const title = range === null ? gettext("Restore this version?") : gettext("Restore %(range)s of this version?", { range });
  const what =
    range === null
      ? gettext("Cells, formats, rows and columns become what they were then, for everybody who has this sheet open.")
      : gettext("These cells and their formats become what they were then, for everybody who has this sheet open. All others stay as they are.");
  const text = `${when}. ${what} ${gettext("What has come since stays in the history, and you can undo this.")}`;
  const buttons = element("div", "restoring-buttons");
  const restore = element("button", "button button-primary", { type: "button" }, gettext("Restore"));
  const cancel = element("button", "button", { type: "button" }, gettext("Cancel"));
  buttons.append(cancel, restore);
  dialog.append(element("h2", "", { id: "restoring-title" }, title), element("p", "", { id: "restoring-text", dir: "auto" }, text), buttons);
  document.body.append(dialog);
  const before = document.activeElement;
  return new Promise((resolve) => {
    restore.addEventListener("click", () => dialog.close("restore"));
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => event.stopPropagation()); // Escape is for the dialog alone
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
      resolve(dialog.returnValue === "restore");
    });
    dialog.showModal();
  });
}
