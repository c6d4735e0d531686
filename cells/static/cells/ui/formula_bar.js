/** The formula bar while no cell is being edited: what is in the active cell, as it is typed. */

import { typedOf } from "../domain/references.js";

/** @typedef {import("./model.js").Model} Model */

export class FormulaBar {
  #model;
  #field;
  /** @type {unknown[]} what the text was made of */ #made = [];
  #text = "";

  /**
   * @param {Model} model
   * @param {HTMLTextAreaElement} field
   */
  constructor(model, field) {
    this.#model = model;
    this.#field = field;
  }

  /**
   * Show a cell's input. Called in each frame: cheap while nothing is new.
   * @param {{row: number, column: number}} cell by ids
   * @param {boolean} isClosed to this person
   */
  show({ row, column }, isClosed) {
    const { rows, columns } = this.#model;
    const made = [this.#model.inputAt(row, column), rows, columns];
    if (made.some((part, place) => part !== this.#made[place])) {
      this.#made = made;
      this.#text = typedOf(this.#model.inputAt(row, column), this.#model);
    }
    if (this.#field.value !== this.#text) this.#field.value = this.#text;
    this.#field.readOnly = isClosed || !this.#model.mayEdit;
  }
}
