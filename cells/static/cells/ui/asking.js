/** Asking before something is done that concerns others. */

import { element } from "./elements.js";
import { gettext } from "./words.js";

/**
 * Ask whether to go on; resolves to whether that is wanted.
 * @param {string} title
 * @param {string} text what it does, and to whom
 * @param {string} go the button's label
 * @returns {Promise<boolean>}
 */
export function askWhether(title, text, go) {
  const dialog = element("dialog", "asking", { "aria-labelledby": "asking-title", "aria-describedby": "asking-text" });
  const buttons = element("div", "asking-buttons");
  const goOn = element("button", "button button-primary", { type: "button" }, go);
  const cancel = element("button", "button", { type: "button" }, gettext("Cancel"));
  buttons.append(cancel, goOn);
  dialog.append(element("h2", "", { id: "asking-title" }, title), element("p", "", { id: "asking-text", dir: "auto" }, text), buttons);
  document.body.append(dialog);
  const before = document.activeElement;
  return new Promise((resolve) => {
    goOn.addEventListener("click", () => dialog.close("go"));
    cancel.addEventListener("click", () => dialog.close());
    dialog.addEventListener("keydown", (event) => event.stopPropagation()); // Escape is for the dialog alone
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
      resolve(dialog.returnValue === "go");
    });
    dialog.showModal();
  });
}
