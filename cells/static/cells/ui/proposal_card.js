/** The card beside the selected cell that offers what a stream proposes for it. */

import { element } from "./elements.js";
import { placeBeside } from "./offers.js";
import { proposalOf } from "./origins.js";
import { gettext } from "./words.js";

/** @typedef {import("./origins.js").Proposal} Proposal */

export class ProposalCard {
  #stage;
  #around;
  /** @type {Proposal|null} */ #shown = null;
  #box = element("div", "offer offer-proposal", { role: "group", "data-region": "" });
  #sentence = element("p", "offer-text", { dir: "auto" });
  #buttons = element("div", "offer-buttons");

  /**
   * @param {HTMLElement} stage what the grid lies in
   * @param {object} around
   * @param {(row_id: number, column_id: number) => {cell: DOMRect, view: DOMRect}|null} around.rectOf
   * @param {(row_id: number, column_id: number) => string|null} around.addressOf
   * @param {(input: string) => string} around.typedOf an input as it reads now
   * @param {() => boolean} around.mayEdit
   * @param {(proposal: Proposal) => void} around.accept
   * @param {(proposal: Proposal) => void} around.dismiss
   * @param {() => void} around.focus give the keyboard back to the grid
   * @param {(sentence: string) => void} around.say politely, to a screen reader
   */
  constructor(stage, around) {
    this.#stage = stage;
    this.#around = around;
    /** @type {(label: string, className: string, run: (proposal: Proposal) => void) => HTMLElement} */
    const button = (label, className, run) => {
      const made = element("button", `button ${className}`, { type: "button" }, label);
      made.addEventListener("click", () => {
        const proposal = this.#shown;
        around.focus();
        if (proposal) run(proposal);
      });
      return made;
    };
    this.#buttons.append(
      button(gettext("Accept"), "button-primary", (proposal) => around.accept(proposal)),
      button(gettext("Dismiss"), "button-quiet", (proposal) => around.dismiss(proposal)),
    );
    this.#box.append(this.#sentence, this.#buttons);
    this.#box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      around.focus();
    });
  }

  /**
   * Offer a proposal, or none; and stand where its cell is now. Cheap while there is none.
   * @param {Proposal|null} proposal
   */
  show(proposal) {
    if (proposal !== this.#shown) this.#change(proposal);
    if (proposal === null) return;
    const rects = this.#around.rectOf(proposal.row, proposal.column);
    if (rects === null) return;
    this.#buttons.hidden = !this.#around.mayEdit();
    const { offsetWidth: width, offsetHeight: height } = this.#box;
    const { left, top, side } = placeBeside(rects.cell, rects.view, { width, height });
    const stage = this.#stage.getBoundingClientRect();
    this.#box.style.visibility = side === "away" ? "hidden" : "";
    this.#box.style.transform = `translate(${Math.round(left - stage.left)}px, ${Math.round(top - stage.top)}px)`;
  }

  /** @param {Proposal|null} proposal */
  #change(proposal) {
    const before = this.#shown;
    this.#shown = proposal;
    if (proposal === null) {
      if (this.#box.contains(document.activeElement)) this.#around.focus();
      this.#box.remove();
      return;
    }
    const sentence = proposalOf(proposal.feed, this.#around.typedOf(proposal.input));
    const address = this.#around.addressOf(proposal.row, proposal.column) ?? "";
    this.#sentence.textContent = sentence;
    this.#box.setAttribute("aria-label", `${sentence}: ${address}`);
    if (before === null) this.#stage.append(this.#box);
    if (before?.row === proposal.row && before.column === proposal.column && before.input === proposal.input) return;
    if (this.#around.mayEdit()) this.#around.say(gettext("%(sentence)s, in %(address)s. Press Ctrl+F6 for what can be done.", { sentence, address }));
    else this.#around.say(`${sentence}: ${address}`);
  }
}
