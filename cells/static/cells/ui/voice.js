/** What a screen reader says without being asked: politely, or at once; and whether it is to speak of others. */

const KEPT_AS = "sheetsync.announcements";

/** The page's two live regions, and whether the person wants to hear of others. */
export class Voice {
  #polite;
  #assertive;
  #storage;

  /**
   * @param {HTMLElement} polite
   * @param {HTMLElement} assertive
   * @param {Storage|null} storage null where the browser allows none
   */
  constructor(polite, assertive, storage) {
    this.#polite = polite;
    this.#assertive = assertive;
    this.#storage = storage;
  }

  get isOn() {
    return this.#storage?.getItem(KEPT_AS) !== "off";
  }

  /** @param {boolean} isOn */
  keep(isOn) {
    if (isOn) this.#storage?.removeItem(KEPT_AS);
    else this.#storage?.setItem(KEPT_AS, "off");
  }

  /** @param {string} sentence */
  polite(sentence) {
    say(this.#polite, sentence);
  }

  /** @param {string} sentence */
  assertive(sentence) {
    say(this.#assertive, sentence);
  }
}

/**
 * @param {HTMLElement} region
 * @param {string} sentence
 */
function say(region, sentence) {
  region.textContent = region.textContent === sentence ? `${sentence}\u00a0` : sentence; // the same again is said again
}
