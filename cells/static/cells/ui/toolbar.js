/** The toolbar over the grid (the APG's pattern): it shows how the active cell looks, and changes the selected ones. */

import { element } from "./elements.js";
import { formatName } from "./format_names.js";
import { usualCurrency } from "./formats.js";
import { sampleOf } from "./values.js";
import { freezeItems } from "./freezing.js";
import { icon } from "./icons.js";
import { keysNamed } from "./key_names.js";
import { lookChangeOf } from "./look_keys.js";
import { Menu } from "./menu.js";
import { Palette } from "./palette.js";
import { gettext, locale } from "./words.js";

/** @typedef {import("./menu.js").Item} Item */
/** @typedef {import("../domain/styles.js").Style} Style */
/** @typedef {import("./styling.js").Styling} Styling */
/**
 * @typedef {object} Control
 * @property {HTMLElement} button
 * @property {(style: Style) => boolean} [isPressed]
 * @property {() => boolean} [isOff]
 * @property {(style: Style) => void} [show] more than whether it is pressed
 */
/**
 * @typedef {object} Surroundings
 * @property {import("./model.js").Model} model
 * @property {import("./selection.js").Selection} selection
 * @property {Styling} styling
 * @property {() => void} finish write what is being typed
 * @property {() => void} focus give the grid the keyboard
 * @property {(kind: "undo"|"redo") => void} takeBack
 */

const CURRENCIES = ["USD", "EUR", "GBP", "CHF", "JPY"]; // offered beside the reader's own

/** @type {Record<string, Style>} */
const FORMATS = {
  plain: { format: "plain" },
  thousands: { format: "thousands" },
  percent: { format: "percent" },
  date: { format: "date" },
  time: { format: "time" },
  datetime: { format: "datetime" },
};

/**
 * Return how a currency is called in the reader's language.
 * @param {string} currency
 */
function currencyName(currency) {
  return new Intl.DisplayNames(locale, { type: "currency" }).of(currency) ?? currency;
}

export class Toolbar {
  #host;
  #around;
  #menu = new Menu();
  #palette;
  /** @type {Control[]} */ #controls = [];
  /** @type {{style: Style|null, undo: boolean|null, redo: boolean|null}} what it shows */ #shown = { style: null, undo: null, redo: null };

  /**
   * @param {HTMLElement} host
   * @param {Surroundings} around
   */
  constructor(host, around) {
    this.#host = host;
    this.#around = around;
    this.#palette = new Palette(host.parentElement ?? document.body);
    this.#build();
    host.addEventListener("mousedown", (event) => event.preventDefault()); // the grid, or what is being typed, keeps the keyboard
    host.addEventListener("keydown", (event) => this.#pressed(event));
    host.addEventListener("focusin", ({ target }) => this.#rove(/** @type {HTMLElement} */ (target)));
    this.#rove(this.#controls[0].button);
  }

  /** Show what the active cell looks like now; cheap if that is what is shown. */
  refresh() {
    const { model, styling } = this.#around;
    const { style } = styling;
    const { canUndo, canRedo } = model;
    this.#host.hidden = !model.mayEdit;
    if (this.#shown.style === style && this.#shown.undo === canUndo && this.#shown.redo === canRedo) return;
    this.#shown = { style, undo: canUndo, redo: canRedo };
    for (const { button, isPressed, isOff, show } of this.#controls) {
      if (isPressed) button.setAttribute("aria-pressed", String(isPressed(style)));
      if (isOff) button.setAttribute("aria-disabled", String(isOff()));
      show?.(style);
    }
  }

  #build() {
    const { model, styling, takeBack } = this.#around;
    const group = () => this.#host.appendChild(element("div", "tools", { role: "presentation" }));
    let tools = group();
    /** @type {(drawing: Node, label: string, hint: string, run: (button: HTMLElement) => void, more?: Omit<Control, "button">, attributes?: Record<string, string>) => HTMLButtonElement} */
    const add = (drawing, label, hint, run, more = {}, attributes = {}) => {
      const title = hint ? `${label} (${hint})` : label;
      const button = element("button", "tool", { type: "button", title, "aria-label": label, tabindex: "-1", ...attributes });
      button.append(drawing);
      button.addEventListener("click", () => {
        if (more.isOff?.()) return;
        this.#around.finish();
        run(button);
      });
      this.#controls.push({ button, ...more });
      tools.append(button);
      return button;
    };
    const glyph = (/** @type {string} */ text, /** @type {string} */ kind) => element("span", `glyph glyph-${kind}`, { "aria-hidden": "true" }, text);

    add(icon("undo"), gettext("Undo"), keysNamed("Ctrl+Z"), () => takeBack("undo"), { isOff: () => !model.canUndo });
    add(icon("redo"), gettext("Redo"), keysNamed("Ctrl+Y"), () => takeBack("redo"), { isOff: () => !model.canRedo });

    tools = group();
    const format = element("span", "tool-text");
    const menuOf = { "aria-haspopup": "menu" };
    const formats = add(format, gettext("Number format"), "", (button) => this.#open(button, this.#formatItems()), {
      show: ({ format: now }) => {
        format.textContent = formatName(now);
        formats.setAttribute("aria-label", gettext("Number format: %(name)s", { name: formatName(now) }));
      },
    }, menuOf);
    formats.classList.add("tool-menu");
    formats.append(icon("down"));
    const sign = new Intl.NumberFormat(locale, { style: "currency", currency: usualCurrency }).formatToParts(0).find(({ type }) => type === "currency");
    add(glyph(sign?.value ?? "$", "sign"), gettext("Format as currency"), keysNamed("Ctrl+Shift+4"), () => styling.format("currency"));
    add(glyph("%", "sign"), gettext("Format as percent"), keysNamed("Ctrl+Shift+5"), () => styling.format("percent"));
    add(this.#decimals("less", ".0"), gettext("Fewer decimals"), "", () => styling.decimals(-1));
    add(this.#decimals("more", ".00"), gettext("More decimals"), "", () => styling.decimals(1));

    tools = group();
    add(glyph("B", "bold"), gettext("Bold"), keysNamed("Ctrl+B"), () => styling.toggle("bold"), { isPressed: ({ bold }) => bold === true });
    add(glyph("I", "italic"), gettext("Italic"), keysNamed("Ctrl+I"), () => styling.toggle("italic"), { isPressed: ({ italic }) => italic === true });
    add(glyph("S", "strike"), gettext("Strike through"), keysNamed("Alt+Shift+5"), () => styling.toggle("strike"), { isPressed: ({ strike }) => strike === true });
    const dialog = { "aria-haspopup": "dialog", "aria-expanded": "false" };
    const color = add(icon("color"), gettext("Text colour"), "", (button) => this.#pick(button, "color"), {
      show: ({ color: now }) => color.style.setProperty("--picked", now ?? "currentcolor"),
    }, dialog);
    const fill = add(icon("fill"), gettext("Fill colour"), "", (button) => this.#pick(button, "fill"), {
      show: ({ fill: now }) => fill.style.setProperty("--picked", now ?? "transparent"),
    }, dialog);
    color.classList.add("tool-color");
    fill.classList.add("tool-color");

    tools = group();
    for (const [align, label, key] of /** @type {const} */ ([["left", gettext("Align left"), "L"], ["center", gettext("Align in the centre"), "E"], ["right", gettext("Align right"), "R"]])) {
      add(icon(align), label, keysNamed(`Ctrl+Shift+${key}`), () => styling.align(align), { isPressed: (style) => style.align === align });
    }
    add(icon("wrap"), gettext("Wrap text"), "", () => styling.toggle("wrap"), { isPressed: ({ wrap }) => wrap === true });

    tools = group();
    add(icon("clear"), gettext("Clear formatting"), keysNamed("Ctrl+\\"), () => styling.apply(""));
    add(icon("freeze"), gettext("Freeze"), "", (button) => this.#open(button, freezeItems(model, this.#around.selection, styling, "both")), {}, menuOf);
  }

  /**
   * @param {"less"|"more"} name
   * @param {string} text
   */
  #decimals(name, text) {
    const drawing = element("span", "glyph glyph-decimals", { "aria-hidden": "true", "data-drawn": text }); // a drawing, no text
    drawing.append(icon(name));
    return drawing;
  }

  /** @returns {(Item|null)[]} */
  #formatItems() {
    const { styling } = this.#around;
    const { format, currency = usualCurrency } = styling.style;
    const keys = /** @type {Record<string, string>} */ ({ thousands: "1", time: "2", date: "3", percent: "5" });
    /** @type {(name: string) => Item} */
    const item = (name) => ({
      label: formatName(name),
      hint: sampleOf(FORMATS[name]),
      keys: keys[name] && keysNamed(`Ctrl+Shift+${keys[name]}`),
      isChecked: format === name,
      run: () => styling.format(FORMATS[name].format),
    });
    const currencies = [...new Set([usualCurrency, ...CURRENCIES])];
    return [
      { label: formatName(undefined), isChecked: format === undefined, run: () => styling.format(null) },
      ...["plain", "thousands", "percent"].map(item),
      null,
      ...currencies.map((code) => ({
        label: currencyName(code),
        hint: sampleOf({ format: "currency", currency: code }),
        isChecked: format === "currency" && currency === code,
        run: () => styling.format("currency", code),
      })),
      null,
      ...["date", "time", "datetime"].map(item),
    ];
  }

  /**
   * @param {HTMLElement} button
   * @param {(Item|null)[]} items
   */
  #open(button, items) {
    const { left, bottom } = button.getBoundingClientRect();
    const withFocus = items.map((item) => item && { ...item, run: () => this.#done(item.run) });
    this.#menu.open(withFocus, left, bottom + 4, button);
  }

  /**
   * @param {HTMLElement} button
   * @param {"color"|"fill"} key
   */
  #pick(button, key) {
    const { styling } = this.#around;
    const isFill = key === "fill";
    this.#palette.open(button, {
      title: isFill ? gettext("Fill colour") : gettext("Text colour"),
      none: isFill ? gettext("No fill") : gettext("Automatic"),
      now: styling.style[key],
      choose: (color) => this.#done(() => styling.apply({ [key]: color })),
    });
  }

  /** @param {() => void} run */
  #done(run) {
    run();
    this.#around.focus();
  }

  /**
   * Let Tab come to one of the buttons only.
   * @param {HTMLElement} target
   */
  #rove(target) {
    if (!this.#controls.some(({ button }) => button === target)) return;
    for (const { button } of this.#controls) button.tabIndex = button === target ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const buttons = this.#controls.map(({ button }) => button);
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const steps = /** @type {Record<string, number>} */ ({ ArrowRight: (at + 1) % buttons.length, ArrowLeft: at - 1, Home: 0, End: -1 });
    const change = lookChangeOf(event);
    if (event.key in steps && !event.ctrlKey && !event.metaKey && !event.altKey) buttons.at(steps[event.key])?.focus();
    else if (event.key === "Escape") this.#around.focus();
    else if (change) change(this.#around.styling);
    else return;
    event.preventDefault();
  }
}
