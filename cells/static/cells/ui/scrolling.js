/** Scroll positions in sheet pixels, also where a sheet is larger than browsers let an element be. */

const MAX_ELEMENT_PX = 8_000_000; // Firefox lays out no more than 17.9 million pixels, others 33.5 million
const LINE_PX = 40; // a wheel that counts in lines
const MARGIN_PX = 80; // room behind the last row and column, so that they are seen to be the last

export class Scrolling {
  #scroller;
  #extent;
  #changed;
  #total = { x: 0, y: 0 };
  /** Sheet pixels at the left and upper edge. */ x = 0;
  y = 0;
  /** How much is seen. */ width = 0;
  height = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} extent the child that is as large as the sheet
   * @param {() => void} changed
   */
  constructor(scroller, extent, changed) {
    this.#scroller = scroller;
    this.#extent = extent;
    this.#changed = changed;
    this.#measure();
    new ResizeObserver(() => {
      this.#measure();
      this.#changed();
    }).observe(scroller);
    scroller.addEventListener("scroll", () => this.#scrolled());
    scroller.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** Asking the scroller in each frame would have the browser lay out what is being painted, then and there. */
  #measure() {
    this.width = this.#scroller.clientWidth;
    this.height = this.#scroller.clientHeight;
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    this.#scrolled(); // what no event has told of yet
    this.#total = { x: width + MARGIN_PX, y: height + MARGIN_PX };
    this.#extent.style.width = `${Math.min(this.#total.x, MAX_ELEMENT_PX)}px`;
    this.#extent.style.height = `${Math.min(this.#total.y, MAX_ELEMENT_PX)}px`;
    this.#measure();
    this.to(this.x, this.y);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  to(x, y) {
    this.x = Math.max(0, Math.min(x, this.#total.x - this.width));
    this.y = Math.max(0, Math.min(y, this.#total.y - this.height));
    this.#scroller.scrollLeft = this.x / this.#ratio("x");
    this.#scroller.scrollTop = this.y / this.#ratio("y");
    this.#changed();
  }

  /**
   * Take over the wheel where one pixel of the scroll bar is many of the sheet: a notch must not leap over rows. Also
   * serves wheels over the headers.
   * @param {WheelEvent} event
   */
  wheel(event) {
    const isElsewhere = !this.#scroller.contains(/** @type {Node} */ (event.target));
    if (event.ctrlKey || (!isElsewhere && this.#ratio("y") === 1 && this.#ratio("x") === 1)) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? this.height : 1;
    const [right, down] = event.shiftKey ? [event.deltaY, event.deltaX] : [event.deltaX, event.deltaY];
    this.to(this.x + right * unit, this.y + down * unit);
  }

  /** @param {"x"|"y"} side */
  #ratio(side) {
    const seen = side === "x" ? this.width : this.height;
    if (this.#total[side] <= MAX_ELEMENT_PX) return 1;
    return (this.#total[side] - seen) / (MAX_ELEMENT_PX - seen);
  }

  #scrolled() {
    const x = this.#read(this.#scroller.scrollLeft, this.x, this.#ratio("x"));
    const y = this.#read(this.#scroller.scrollTop, this.y, this.#ratio("y"));
    if (x === this.x && y === this.y) return;
    this.x = x;
    this.y = y;
    this.#changed();
  }

  /**
   * Browsers round scroll positions: what was set here comes back slightly different, and must not move the sheet.
   * @param {number} seen
   * @param {number} known
   * @param {number} ratio
   */
  #read(seen, known, ratio) {
    return ratio > 1 && Math.abs(seen - known / ratio) < 1 ? known : seen * ratio;
  }
}
