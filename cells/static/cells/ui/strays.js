/** What is typed on after the cell under it was deleted: it must reach no neighbour, and comes back with the rest. */

/** @typedef {import("./keyboard.js").Command} Command */

const PAUSE_MS = 1_200; // who is typing does not pause as long; who pauses has looked up

/** @type {Set<Command["kind"]>} what nobody presses who believes to be typing into a cell */
const ON_PURPOSE = new Set(["move", "page", "home", "end", "escape", "menu", "leave"]);

/** @type {Record<string, string>} */
const BREAKS = { Enter: "\n", Tab: "\t" };

export class Strays {
  /** @type {((text: string) => void)|null} */ #show = null;
  #text = "";
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
  #changed;

  /** @param {(isOpen: boolean) => void} changed begun or ended */
  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * From now on keep what is typed, until somebody pauses or does something on purpose.
   * @param {string} text what was typed before
   * @param {(text: string) => void} show
   */
  begin(text, show) {
    this.#text = text;
    this.#show = show;
    this.#wait();
    this.#changed(true);
  }

  end() {
    if (this.#show === null) return;
    this.#show = null;
    clearTimeout(this.#timer);
    this.#changed(false);
  }

  /**
   * Say whether a key belongs to the text that lost its cell; if so, nobody else may have it.
   * @param {Command} command
   * @param {{key: string}} event
   */
  takesKey(command, { key }) {
    if (this.#show !== null && ON_PURPOSE.has(command.kind)) this.end();
    const isCharacter = (command.kind === "type" || command.kind === "row") && key.length === 1; // not Ctrl+A
    return this.takesText(isCharacter ? key : (BREAKS[key] ?? ""));
  }

  /**
   * Likewise for what comes without a key of its own: a paste, an emoji.
   * @param {string} text
   */
  takesText(text) {
    if (this.#show === null) return false;
    this.#text += text;
    this.#show(this.#text.replace(/[\n\t]+$/, "")); // the Enter at the end is no part of the text
    this.#wait();
    return true;
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(), PAUSE_MS);
  }
}
