/** What this tab has done, step by step, so that it can be taken back and done again: ids only, for the log has the rest. */

const MAX_STEPS = 200;

/** What an undo may be refused for and yet be possible later; of anything else another try makes nothing. */
const PASSING = new Set(["limit_exceeded", "internal"]);

/** @typedef {import("../domain/operations.js").TakeBack} TakeBack */
/** @typedef {string[]} Step ids of operations, in the order they were submitted */
/** @typedef {{undo: Step[], redo: Step[]}} Steps oldest first */
/** @typedef {{load(): unknown, save(steps: Steps): void}} Store what outlives a reload */
/** @typedef {{waiting: Set<string>, left: number}} Answers to the undos of one step */

export class History {
  #store;
  #changed;
  #left;
  /** @type {Step[]} */ #undo;
  /** @type {Step[]} */ #redo;
  /** @type {Step|null} that everything goes into for now */ #open = null;
  /** @type {Map<string, Answers>} by the id of an undo that is on its way */ #answers = new Map();
  /** @type {WeakMap<Step, Step>} where what could not be taken back went, of a step that else was */ #givenBack = new WeakMap();
  #could = "";

  /**
   * @param {Store} store
   * @param {() => void} changed there is something to undo or redo now, or no longer
   * @param {(count: number) => void} left so many cells were left alone, for somebody else has written them since
   */
  constructor(store, changed, left) {
    this.#store = store;
    this.#changed = changed;
    this.#left = left;
    const { undo, redo } = /** @type {Partial<Record<keyof Steps, unknown>>} */ (store.load() ?? {});
    this.#undo = stepsIn(undo);
    this.#redo = stepsIn(redo);
    this.#could = this.#can;
  }

  get canUndo() {
    return this.#undo.length > 0;
  }

  get canRedo() {
    return this.#redo.length > 0;
  }

  get #can() {
    return `${this.canUndo} ${this.canRedo}`;
  }

  /**
   * Take everything that is submitted meanwhile for one step.
   * @template T
   * @param {() => T} run
   * @returns {T}
   */
  asOneStep(run) {
    if (this.#open !== null) return run();
    this.#open = [];
    try {
      return run();
    } finally {
      this.#open = null;
      this.#settle();
    }
  }

  /**
   * Something was done: what has been taken back before cannot be done again.
   * @param {string} operation_id
   */
  did(operation_id) {
    this.#redo = [];
    const step = this.#open ?? [];
    step.push(operation_id);
    if (this.#undo.at(-1) !== step) this.#undo.push(step);
    this.#settle();
  }

  /**
   * Return what to take back, in this order, or to do again; null if there is nothing.
   * @param {TakeBack["kind"]} kind
   * @param {string} [operation_id] of the step that is meant, else it is the newest
   * @returns {string[]|null}
   */
  take(kind, operation_id) {
    const [from, to] = kind === "undo" ? [this.#undo, this.#redo] : [this.#redo, this.#undo];
    const step = operation_id === undefined ? from.at(-1) : from.find((one) => one.includes(operation_id));
    if (step === undefined) return null;
    from.splice(from.indexOf(step), 1);
    to.push(step);
    this.#settle();
    return kind === "undo" ? [...step].reverse() : [...step];
  }

  /**
   * The undos or redos of one step are on their way.
   * @param {string[]} operation_ids
   */
  awaits(operation_ids) {
    const answers = { waiting: new Set(operation_ids), left: 0 };
    for (const id of operation_ids) this.#answers.set(id, answers);
  }

  /**
   * An operation goes into the log under other ids, or not at all.
   * @param {string} operation_id
   * @param {string[]} ids
   */
  replaced(operation_id, ids) {
    const answers = this.#answers.get(operation_id);
    if (answers) {
      for (const id of ids) {
        answers.waiting.add(id);
        this.#answers.set(id, answers);
      }
      this.answered(operation_id, 0);
      return;
    }
    for (const steps of [this.#undo, this.#redo]) {
      const step = steps.find((one) => one.includes(operation_id));
      if (!step) continue;
      step.splice(step.indexOf(operation_id), 1, ...ids);
      if (step.length === 0) steps.splice(steps.indexOf(step), 1);
      this.#settle();
      return;
    }
  }

  /**
   * An undo or redo is in the log, or will never be.
   * @param {string} operation_id its own
   * @param {number} left how many cells it left alone
   */
  answered(operation_id, left) {
    const answers = this.#answers.get(operation_id) ?? { waiting: new Set(), left: 0 }; // none from before a reload
    this.#answers.delete(operation_id);
    answers.waiting.delete(operation_id);
    answers.left += left;
    if (answers.waiting.size === 0 && answers.left > 0) this.#left(answers.left);
  }

  /**
   * An undo or redo was refused: what may be possible later goes back to where it was.
   * @param {string} operation_id its own
   * @param {TakeBack} takeBack
   * @param {string} code
   */
  refused(operation_id, { kind, operation_id: named }, code) {
    this.answered(operation_id, 0);
    const [from, to] = kind === "undo" ? [this.#undo, this.#redo] : [this.#redo, this.#undo];
    const step = to.find((one) => one.includes(named));
    if (!step) return;
    this.replaced(named, []);
    if (!PASSING.has(code)) return;
    const back = this.#givenBack.get(step) ?? [];
    if (kind === "undo") back.unshift(named);
    else back.push(named);
    this.#givenBack.set(step, back);
    if (!from.includes(back)) from.push(back);
    this.#settle();
  }

  #settle() {
    if (this.#open === null) {
      this.#undo.splice(0, this.#undo.length - MAX_STEPS);
      this.#store.save({ undo: this.#undo, redo: this.#redo });
    }
    if (this.#can === this.#could) return;
    this.#could = this.#can;
    this.#changed();
  }
}

/**
 * @param {unknown} stored
 * @returns {Step[]}
 */
function stepsIn(stored) {
  if (!Array.isArray(stored)) return [];
  return stored.filter((step) => Array.isArray(step) && step.length > 0 && step.every((id) => typeof id === "string"));
}
