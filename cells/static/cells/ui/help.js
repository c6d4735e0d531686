/** The help dialog: what the keys do, what the marks mean, and whether others' changes are read aloud. */

import { element } from "./elements.js";
import { keysNamed } from "./key_names.js";
import { gettext } from "./words.js";

/** @typedef {{isOn: boolean, keep: (isOn: boolean) => void}} Announcements */

/**
 * @param {boolean} hasHistory
 * @returns {[heading: string, keys: [keys: string, what: string][]][]}
 */
function shortcuts(hasHistory) {
  return [
    [gettext("Move and select"), [
      ["↑ ↓ ← →", gettext("Move by one cell")],
      ["Ctrl+↑ ↓ ← →", gettext("Move to the edge of the data")],
      ["Tab, Enter", gettext("Move right, down; Enter goes back to where the Tabs began")],
      ["Home, End", gettext("First column, last filled cell of the row")],
      ["Ctrl+Home, Ctrl+End", gettext("First cell, last filled cell")],
      ["Page Up, Page Down", gettext("Move by a screenful")],
      ["Shift+…", gettext("Extend the selection")],
      ["Alt+Page Up, Alt+Page Down", gettext("Move by a screenful to the left, to the right")],
      ["Ctrl+A", gettext("Select the data around; again, everything")],
      ["Ctrl+Space, Shift+Space", gettext("Select the column, the row")],
    ]],
    [gettext("Edit"), [
      ["F2", gettext("Edit the cell")],
      ["Escape", gettext("Leave the cell as it was")],
      ["Alt+Enter", gettext("Break the line")],
      ["Ctrl+Enter", gettext("Fill the selection with what was typed")],
      ["Delete", gettext("Clear the selection")],
      ["Ctrl+C, Ctrl+X, Ctrl+V", gettext("Copy, cut, paste")],
      ["Ctrl+Shift+V", gettext("Paste values only")],
      ["Ctrl+D, Ctrl+R", gettext("Fill down, fill right")],
      ["Ctrl+Z, Ctrl+Y", gettext("Undo, redo what you did")],
      ["Ctrl+Alt+=, Ctrl+Alt+-", gettext("Insert, delete the selected rows or columns")],
      ["Alt+Shift+↑ ↓ ← →", gettext("Move the selected rows or columns")],
      ["Ctrl+F, Ctrl+H", gettext("Find, find and replace")],
    ]],
    [gettext("Formulas"), [
      ["=", gettext("Begin a formula; a click, a drag or an arrow key then points at cells")],
      ["Shift+↑ ↓ ← →", gettext("Point at more cells")],
      ["F4", gettext("Hold the row and the column of a reference with $, one of them, or none")],
      ["Tab, Enter", gettext("Take the function that is marked in the list")],
      ["F2", gettext("While typing: arrow keys move in the text, and back")],
    ]],
    [gettext("Looks"), [
      ["Ctrl+B, Ctrl+I", gettext("Bold, italic")],
      ["Ctrl+Shift+X", gettext("Strike through")],
      ["Ctrl+Shift+L, E, R", gettext("Align left, in the centre, right")],
      ["Ctrl+Shift+1 … 5", gettext("Show as number, time, date, currency, percent")],
      ["Ctrl+\\", gettext("Clear formatting")],
    ]],
    [gettext("Around the page"), [
      ["Shift+F10", gettext("Menu of what is selected")],
      ["F6, Ctrl+F6", gettext("Next part of the page; with Shift the previous one")],
      ...(hasHistory ? [/** @type {[string, string]} */ (["Ctrl+Alt+Shift+H", gettext("Version history")])] : []),
      ["Ctrl+/", gettext("This help")],
    ]],
  ];
}

export class Help {
  #dialog = element("dialog", "help", { "aria-labelledby": "help-title" });
  #announcements;
  #returnFocus;
  #hasHistory;

  /**
   * @param {HTMLElement} button opens it, too
   * @param {Announcements} announcements
   * @param {() => void} returnFocus
   * @param {() => boolean} hasHistory whether the sheet's past is to be had
   */
  constructor(button, announcements, returnFocus, hasHistory) {
    this.#hasHistory = hasHistory;
    this.#announcements = announcements;
    this.#returnFocus = returnFocus;
    document.body.append(this.#dialog);
    this.#dialog.addEventListener("close", () => this.#closed());
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close(); // on the backdrop: its content covers all of the dialog
    });
    button.addEventListener("click", () => this.open());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      if (this.#dialog.open) this.#dialog.close();
      else this.open();
    }, true);
  }

  open() {
    if (document.querySelector("dialog[open]")) return;
    this.#dialog.replaceChildren(this.#content());
    this.#dialog.showModal();
  }

  #content() {
    const content = element("div", "help-content");
    const head = element("div", "help-head");
    const close = element("button", "button button-quiet", { type: "button", "aria-label": gettext("Close") }, "✕");
    close.addEventListener("click", () => this.#dialog.close());
    head.append(element("h2", "", { id: "help-title" }, gettext("Keyboard shortcuts and help")), close);
    const groups = element("div", "help-groups");
    for (const [heading, keys] of shortcuts(this.#hasHistory())) {
      const group = element("section", "help-group");
      const list = element("dl", "help-keys");
      for (const [key, what] of keys) {
        const line = element("div", "help-key");
        const term = element("dt", "");
        term.append(element("kbd", "", {}, keysNamed(key)));
        line.append(term, element("dd", "", {}, what));
        list.append(line);
      }
      group.append(element("h3", "", {}, heading), list);
      groups.append(group);
    }
    groups.append(this.#together());
    content.append(head, groups);
    return content;
  }

  #together() {
    const group = element("section", "help-group");
    const legend = element("ul", "help-legend");
    /** @type {(mark: string, text: string) => void} */
    const line = (mark, text) => {
      const item = element("li", "");
      item.append(element("span", `help-mark ${mark}`, { "aria-hidden": "true" }), text);
      legend.append(item);
    };
    line("help-tint", gettext("A person has just changed the cell: in the colour of the person's cursor"));
    line("help-stream", gettext("A stream has just changed the cell"));
    line("help-origin", gettext("A stream wrote the cell last"));
    line("help-proposal", gettext("A stream proposes another text; select the cell to accept or dismiss it"));
    line("help-cursor", gettext("Somebody is at the cell; choose the initials above to go there or to follow"));
    const label = element("label", "help-choice");
    const box = element("input", "", { type: "checkbox", id: "announce" });
    box.checked = this.#announcements.isOn;
    box.addEventListener("change", () => this.#announcements.keep(box.checked));
    label.append(box, element("span", "", {}, gettext("Let screen readers say what others change")));
    group.append(element("h3", "", {}, gettext("Together")), legend, label);
    return group;
  }

  #closed() {
    this.#dialog.replaceChildren();
    this.#returnFocus();
  }
}
