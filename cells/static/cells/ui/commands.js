/** What a key asks of the grid, done. */

import { COLUMN_WIDTH_PX, ROW_HEIGHT_PX } from "./model.js";
import { jump, lastFilled, regionAround } from "./movement.js";

/** @typedef {import("./keyboard.js").Command} Command */
/** @typedef {import("./selection.js").Place} Place */
/**
 * @typedef {object} Surroundings
 * @property {import("./selection.js").Selection} selection
 * @property {import("./sight.js").Sight} sight
 * @property {import("./scrolling.js").Scrolling} scrolling
 * @property {(run: (equipment: import("./grid.js").Equipment) => void) => void} whenEquipped does it at once, or as soon as that has come
 * @property {() => void} edit opens the active cell
 * @property {() => void} openMenu beside the active cell
 * @property {(kind: "undo"|"redo") => void} takeBack
 * @property {() => void} leave hands the keyboard to the rest of the page
 */

export class Commands {
  #model;
  #around;

  /**
   * @param {import("./model.js").Model} model
   * @param {Surroundings} around
   */
  constructor(model, around) {
    this.#model = model;
    this.#around = around;
  }

  /** @param {Command} command */
  run(command) {
    const { selection, whenEquipped } = this.#around;
    switch (command.kind) {
      case "move": return this.#goOn(this.#target(command), command.isExtending);
      case "page": return this.#goOn(this.#pageTarget(command.down, command.isExtending), command.isExtending);
      case "home": return this.#goOn({ row: command.isFar ? 0 : this.#from(command.isExtending).row, column: 0 }, command.isExtending);
      case "end": return this.#goOn(lastFilled(this.#model, command.isFar ? null : this.#from(command.isExtending).row), command.isExtending);
      case "tab": selection.tab(command.direction); break;
      case "enter": selection.enter(command.direction); break;
      case "edit": this.#around.edit(); break;
      case "clear": if (this.#model.mayEdit) whenEquipped(({ actions }) => actions.clear()); return;
      case "all": return this.#selectAround();
      case "page across": return this.#goOn(this.#pageAcross(command.right, command.isExtending), command.isExtending);
      case "shift": if (this.#model.mayEdit) whenEquipped(({ actions }) => actions.move(command.axis, command.direction)); break;
      case "insert":
      case "delete": return this.#insertOrDelete(command.kind);
      case "row": selection.select(selection.active, "rows"); return;
      case "column": selection.select(selection.active, "columns"); return;
      case "escape": whenEquipped(({ clipboard }) => clipboard.forgetCut()); return;
      case "menu": return this.#around.openMenu();
      case "fill down": return whenEquipped(({ filling }) => filling.down());
      case "fill right": return whenEquipped(({ filling }) => filling.right());
      case "undo":
      case "redo": return this.#around.takeBack(command.kind);
      case "leave": return this.#around.leave();
    }
    this.#around.sight.reveal(selection.active);
  }

  /**
   * @param {Place} place
   * @param {boolean} isExtending
   */
  #goOn(place, isExtending) {
    if (isExtending) this.#around.selection.extend(place);
    else this.#around.selection.select(place);
    this.#around.sight.reveal(isExtending ? this.#around.selection.corner : this.#around.selection.active);
  }

  /** @param {boolean} isExtending */
  #from(isExtending) {
    return isExtending ? this.#around.selection.corner : this.#around.selection.active;
  }

  /**
   * @param {Command & {kind: "move"}} command
   * @returns {Place}
   */
  #target({ down, right, isJump, isExtending }) {
    const from = this.#from(isExtending);
    return isJump ? jump(this.#model, from, down, right) : { row: from.row + down, column: from.column + right };
  }

  /**
   * @param {1|-1} down
   * @param {boolean} isExtending
   * @returns {Place}
   */
  #pageTarget(down, isExtending) {
    const { row, column } = this.#from(isExtending);
    const { seen, frozenSize } = this.#around.sight.port("rows");
    const page = Math.max(ROW_HEIGHT_PX, seen - frozenSize - ROW_HEIGHT_PX);
    const target = this.#around.sight.rows.positionAt(this.#around.sight.rows.offsetOf(row) + down * page);
    this.#around.scrolling.to(this.#around.scrolling.x, this.#around.scrolling.y + down * page);
    return { row: target, column };
  }

  /**
   * @param {1|-1} right
   * @param {boolean} isExtending
   * @returns {Place}
   */
  #pageAcross(right, isExtending) {
    const { row, column } = this.#from(isExtending);
    const { seen, frozenSize } = this.#around.sight.port("columns");
    const page = Math.max(COLUMN_WIDTH_PX, seen - frozenSize - COLUMN_WIDTH_PX);
    const target = this.#around.sight.columns.positionAt(this.#around.sight.columns.offsetOf(column) + right * page);
    this.#around.scrolling.to(this.#around.scrolling.x + right * page, this.#around.scrolling.y);
    return { row, column: target };
  }

  /** Select the data around the active cell or, if that is selected or there is none, everything. */
  #selectAround() {
    const selection = this.#around.selection;
    const region = regionAround(this.#model, selection.active);
    const { top, left, bottom, right } = selection.range;
    const isSingle = region.top === region.bottom && region.left === region.right;
    const isSelected = top <= region.top && left <= region.left && bottom >= region.bottom && right >= region.right;
    if (isSingle || isSelected) selection.select(selection.active, "all");
    else selection.selectRange(region);
  }

  /**
   * Insert as many rows or columns as are selected before them, or delete these; of cells alone, their rows.
   * @param {"insert"|"delete"} kind
   */
  #insertOrDelete(kind) {
    const { selection: { shape }, whenEquipped } = this.#around;
    if (!this.#model.mayEdit || shape === "all") return;
    const axis = shape === "columns" ? "columns" : "rows";
    whenEquipped(({ actions }) => {
      if (kind === "insert") actions.insert(axis, "before");
      else actions.delete(axis);
    });
  }
}
