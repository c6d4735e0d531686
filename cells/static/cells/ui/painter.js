/**
 * All painting of the grid: what a view says, as few DOM writes as it takes.
 *
 * Elements are a fixed ring: row 57 of a ring of 40 is painted by element 17, so that scrolling by one row rewrites one
 * row. Nothing but this module and its parts (panes, headers, cells, frames) creates, moves or fills elements of the
 * grid. While the view leaps, a canvas takes their place.
 */

import { PADDING_PX, heightOf, linesIn } from "./cell_slots.js";
import { onDarkness } from "./colors.js";
import { element } from "./elements.js";
import { shownOf } from "./formats.js";
import { Frames } from "./frames.js";
import { Headers } from "./headers.js";
import { lookOf } from "./looks.js";
import { Pane } from "./panes.js";
import { Ruler } from "./ruler.js";

const LEAPS = 3; // from frame to frame, until the view is taken to be in flight
const REST_MS = 120; // without a leap, and it has landed
const REANCHOR_PX = 500_000; // transforms are floats: keep them small on tall sheets

/** @typedef {import("../domain/axes.js").Axis} Axis */
/** @typedef {import("../domain/addresses.js").Range} Range */
/** @typedef {import("./formats.js").Cell} Cell */
/** @typedef {import("./geometry.js").Geometry} Geometry */
/** @typedef {import("./ports.js").Port} Port */
/** @typedef {{row: number, column: number}} Place */
/** @typedef {Place & {range: Range|null, name: string, color: string, editing: boolean}} Cursor */
/** @typedef {{range: Range, color: number}} Outline `color`: the place of one that references have */
/**
 * @typedef {object} View
 * @property {Axis} rows
 * @property {Axis} columns
 * @property {Geometry} rowGeometry
 * @property {Geometry} columnGeometry
 * @property {Port} down what is seen of the rows
 * @property {Port} across what is seen of the columns
 * @property {(row: number, column: number) => Cell|undefined} cellAt by ids; as it is shown
 * @property {((cell: Cell) => import("./formula_notes.js").Note)|undefined} noteOf what is said of a formula
 * @property {(row: number) => boolean} isKnown whether a row's cells are here; by id
 * @property {Place} active
 * @property {Range} range
 * @property {Range|null} cut
 * @property {Range|null} fill what letting go of the handle would fill, with what it is filled from
 * @property {readonly Outline[]} outlines what the formula that is being typed refers to
 * @property {Cursor[]} cursors
 * @property {(row_id: number) => ReadonlyMap<number, string>|undefined} tints marks of what others have just changed
 * @property {(row_id: number) => ReadonlyMap<number, true>|undefined} found columns of a row that a search has found
 * @property {(row_id: number) => import("./protections.js").Marks|undefined} marks of a row's cells, where a stream wrote or proposes something
 * @property {{place: Place, element: HTMLElement}|null} editor
 * @property {{axis: "rows"|"columns", offset: number}|null} guide where a border is being dragged to, in pixels of what is seen
 */

const STILL = { x: 0, y: 0 };

export class Painter {
  #host;
  #ruler;
  #origin = { x: 0, y: 0 };
  #corner = element("button", "corner", { type: "button", tabindex: "-1", "aria-hidden": "true" });
  #overlay = element("div", "overlay", { role: "presentation" });
  #frames = new Frames(this.#overlay);
  #panes;
  #letters;
  #numbers;
  /** @type {View|null} */ #view = null;
  #repaint;
  /** @type {import("./flight.js").Flight|null} null until it has come */ #flight = null;
  #leaps = 0;
  #leaptAt = -Infinity;
  #isFlying = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #landing;
  columnHeaders = element("div", "column-headers", { role: "rowgroup" });
  rowHeaders = element("div", "row-headers", { "aria-hidden": "true" }); // each row has its name within, unseen
  scroller = element("div", "scroller", { role: "rowgroup", tabindex: "0" }); // the grid takes its focus
  extent = element("div", "extent", { role: "presentation" });
  /** What is seen of the sheet, frozen or scrolled. */
  body = element("div", "body", { role: "presentation" });

  /**
   * @param {HTMLElement} host the element with the role "grid"
   * @param {() => void} repaint has `paint` called with the view of then
   */
  constructor(host, repaint) {
    this.#host = host;
    this.#repaint = repaint;
    this.#ruler = new Ruler(host);
    const names = /** @type {const} */ (["main", "top", "left", "corner"]);
    const [main, top, left, corner] = names.map((name) => new Pane(name, this.#ruler));
    this.#panes = { main, top, left, corner };
    const letters = element("div", "column-header-row", { role: "row", "aria-rowindex": "1" });
    this.#letters = new Headers("columns", letters);
    this.#numbers = new Headers("rows", this.rowHeaders);
    this.columnHeaders.append(letters);
    this.body.append(main.element, top.element, left.element, corner.element, this.#overlay);
    this.extent.append(this.body);
    this.scroller.append(this.extent);
    host.append(this.#corner, this.columnHeaders, this.rowHeaders, this.scroller);
    onDarkness(() => this.#view && this.paint(this.#view));
  }

  get corner() {
    return this.#corner;
  }

  /**
   * Put an element over the cells: the editor.
   * @param {HTMLElement} child
   */
  adopt(child) {
    this.#overlay.append(child);
  }

  /**
   * Take what paints while the view leaps.
   * @param {typeof import("./flight.js").Flight} Flight
   */
  equip(Flight) {
    this.#flight = new Flight(this.#host, this.#ruler);
    this.#overlay.before(this.#flight.element);
  }

  /** @param {View} view */
  paint(view) {
    const isFlying = this.#flies(view);
    this.#view = view;
    const { rowGeometry, columnGeometry, down, across, range } = view;
    this.#host.setAttribute("aria-rowcount", String(rowGeometry.length + 1));
    this.#host.setAttribute("aria-colcount", String(columnGeometry.length + 1));
    this.body.style.width = `${across.seen}px`;
    this.body.style.height = `${down.seen}px`;
    if (Math.abs(across.scroll - this.#origin.x) > REANCHOR_PX) this.#origin.x = Math.floor(across.scroll);
    if (Math.abs(down.scroll - this.#origin.y) > REANCHOR_PX) this.#origin.y = Math.floor(down.scroll);
    const isEveryRow = range.top === 0 && range.bottom === rowGeometry.length - 1;
    const isEveryColumn = range.left === 0 && range.right === columnGeometry.length - 1;
    this.#letters.paint(columnGeometry, across, this.#origin.x, { first: range.left, last: range.right, isWhole: isEveryRow });
    this.#numbers.paint(rowGeometry, down, this.#origin.y, { first: range.top, last: range.bottom, isWhole: isEveryColumn });
    if (isFlying) {
      this.#flight?.paint(view);
    } else {
      this.#paintPanes(view);
      this.#nameActive(view.active);
    }
    this.#frames.paint(view);
  }

  /**
   * Say whether the view has been leaping for some frames, so that nothing of one is in the next; take off, or land.
   * @param {View} view
   */
  #flies(view) {
    const now = performance.now();
    if (this.#view && (isApart(this.#view.down.moving, view.down.moving) || isApart(this.#view.across.moving, view.across.moving))) {
      this.#leaps = now - this.#leaptAt < REST_MS ? this.#leaps + 1 : 1;
      this.#leaptAt = now;
    }
    const rest = this.#leaptAt + REST_MS - now;
    const flies = this.#flight !== null && this.#leaps >= LEAPS && rest > 0;
    if (flies !== this.#isFlying) {
      this.#isFlying = flies;
      this.body.classList.toggle("is-flying", flies);
      if (flies) this.#flight?.begin((this.body.getBoundingClientRect().width / view.across.seen) * devicePixelRatio);
      else this.#flight?.end();
    }
    clearTimeout(this.#landing);
    if (flies) this.#landing = setTimeout(this.#repaint, rest + 1);
    return flies;
  }

  /**
   * Paint the cells that scroll and, at the edges over them, those that do so in one direction only, or not at all.
   * @param {View} view
   */
  #paintPanes(view) {
    const { down, across } = view;
    const { main, top, left, corner } = this.#panes;
    const origin = this.#origin;
    const hasTop = down.frozen > 0;
    const hasLeft = across.frozen > 0;
    this.#show(top, hasTop, null, down.frozenSize);
    this.#show(left, hasLeft, across.frozenSize, null);
    this.#show(corner, hasTop && hasLeft, across.frozenSize, down.frozenSize);
    const right = { x: origin.x, y: 0 };
    const below = { x: 0, y: origin.y };
    if (hasTop && hasLeft) corner.paint(view, down.still, across.still, STILL, STILL);
    if (hasLeft) left.paint(view, down.moving, across.still, below, { x: 0, y: down.scroll });
    if (hasTop) top.paint(view, down.still, across.moving, right, { x: across.scroll, y: 0 });
    main.paint(view, down.moving, across.moving, origin, { x: across.scroll, y: down.scroll });
  }

  /**
   * @param {Pane} pane
   * @param {boolean} isShown
   * @param {number|null} width null: as much as is seen
   * @param {number|null} height
   */
  #show(pane, isShown, width, height) {
    pane.element.hidden = !isShown;
    if (!isShown) return;
    pane.element.style.width = width === null ? "100%" : `${width}px`;
    pane.element.style.height = height === null ? "100%" : `${height}px`;
  }

  /**
   * Tell assistive technology which element the active cell is, if it is one of those that are seen.
   * @param {Place} active
   */
  #nameActive({ row, column }) {
    const { main, top, left, corner } = this.#panes;
    const cell = corner.find(row, column) ?? left.find(row, column) ?? top.find(row, column) ?? main.find(row, column);
    if (cell) this.#host.setAttribute("aria-activedescendant", cell.id);
    else this.#host.removeAttribute("aria-activedescendant");
  }

  /**
   * Return how wide a column must be to show all of a cell; 0 for an empty one.
   * @param {Cell|undefined} cell
   */
  fittingWidth(cell) {
    const [text, kind] = shownOf(cell);
    if (text === "") return 0;
    const look = lookOf(cell?.style);
    const digits = kind === "number" ? text.replace(/[0-9]/g, "0") : text; // numbers are set in digits of one width
    const widest = digits.split("\n").reduce((most, line) => Math.max(most, this.#ruler.widthOf(line, look)), 0);
    return Math.ceil(widest) + PADDING_PX + 1;
  }

  /**
   * Return how high a row must be to show all lines of a cell; 0 for an empty one.
   * @param {Cell|undefined} cell
   * @param {number} width of its column
   */
  fittingHeight(cell, width) {
    const [text] = shownOf(cell);
    return text === "" ? 0 : heightOf(linesIn(text, lookOf(cell?.style), width, this.#ruler));
  }
}

/**
 * @param {import("./ports.js").Stretch} one
 * @param {import("./ports.js").Stretch} other
 */
function isApart(one, other) {
  return one.first > other.last || other.first > one.last;
}
