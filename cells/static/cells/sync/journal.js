/**
 * The durable copy of what a tab has not got acknowledged: IndexedDB, so that it outlives a reload and a crash.
 *
 * Every tab owns its own lines, marked by its client_id, and holds a Web Lock of that name while it lives. Lines whose
 * lock is free belong to nobody, and the next tab of the same sheet and user adopts them. Should two tabs send the same
 * line after all, its operation_id makes the second one harmless.
 */

import { History } from "./history.js";
import { newId } from "./ids.js";

const DATABASE = "sheetsync";
const STORE = "operations";
const OWN_LOCK_PATIENCE_MS = 1_000; // a reloaded page gets its old lock back as soon as the old page is gone

/** @typedef {import("./replica.js").Kept} Kept */
/** @typedef {Kept & {sheet: string, client_id: string}} Line */

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {string} client_id */
function lockOf(client_id) {
  return `sheetsync.${client_id}`;
}

/**
 * Hold a lock until the page goes; say whether it could be had.
 * @param {string} name
 * @param {LockOptions} options
 * @returns {Promise<boolean>}
 */
function hold(name, options) {
  return new Promise((resolve) => {
    navigator.locks
      .request(name, options, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise(() => {});
      })
      .catch(() => resolve(false));
  });
}

/** @typedef {{client_id: string, isNew: boolean, isHeld: Promise<boolean>}} Claim `isHeld`: until then nothing may be kept under it */

/**
 * Return this tab's client_id: the one from before a reload, a new one for a new or duplicated tab.
 * @param {string} key of sessionStorage
 * @param {string|null} made a new one that the tab has already been introduced by
 * @returns {Promise<Claim>}
 */
export async function claimClientId(key, made) {
  const known = sessionStorage.getItem(key);
  if (made === null && known !== null) {
    const isMine =
      !navigator.locks ||
      (await hold(lockOf(known), { signal: AbortSignal.timeout(OWN_LOCK_PATIENCE_MS) }));
    if (isMine) return { client_id: known, isNew: false, isHeld: Promise.resolve(true) };
  }
  const client_id = made ?? newId();
  sessionStorage.setItem(key, client_id);
  return { client_id, isNew: true, isHeld: navigator.locks ? hold(lockOf(client_id), {}) : Promise.resolve(true) };
}

/**
 * Return where a tab keeps what it can undo and redo; where a browser refuses, a reload forgets it.
 * @param {string} client_id
 * @returns {import("./history.js").Store}
 */
export function stepsOf(client_id) {
  const key = `sheetsync.steps.${client_id}`;
  return {
    load() {
      try {
        return JSON.parse(sessionStorage.getItem(key) ?? "null");
      } catch {
        return null;
      }
    },
    save(steps) {
      try {
        sessionStorage.setItem(key, JSON.stringify(steps));
      } catch {
        // the steps are in memory
      }
    },
  };
}

/**
 * Remember a step that this tab has taken on another page of a sheet's, for the sheet's own page to undo.
 * @param {string} clientIdKey of sessionStorage, as the sheet's page has it
 * @param {string[]} operation_ids in the order in which they were committed
 */
export function rememberStep(clientIdKey, operation_ids) {
  try {
    const client_id = sessionStorage.getItem(clientIdKey) ?? newId();
    sessionStorage.setItem(clientIdKey, client_id);
    const history = new History(stepsOf(client_id), () => {}, () => {});
    history.asOneStep(() => operation_ids.forEach((id) => history.did(id)));
  } catch {
    // a browser may refuse to store anything: then the step cannot be undone
  }
}

export class Journal {
  /** @type {IDBDatabase} */ #database;
  #sheet;
  #client_id;
  /** @type {(error: unknown) => void} */ #failed;

  /**
   * @param {IDBDatabase} database
   * @param {string} sheet
   * @param {string} client_id
   * @param {(error: unknown) => void} failed
   */
  constructor(database, sheet, client_id, failed) {
    this.#database = database;
    this.#sheet = sheet;
    this.#client_id = client_id;
    this.#failed = failed;
  }

  /**
   * @param {string} sheet which sheet, and for which user: nobody sends what another user typed
   * @param {string} client_id
   * @param {(error: unknown) => void} failed told when lines cannot be kept
   */
  static async open(sheet, client_id, failed) {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore(STORE, { keyPath: ["sheet", "client_id", "order"] });
      store.createIndex("sheet", "sheet");
    };
    return new Journal(await answerOf(request), sheet, client_id, failed);
  }

  /** @param {readonly Kept[]} kept */
  put(kept) {
    this.#write((store) => {
      for (const { operation_id, operation, order } of kept) store.put(this.#line({ operation_id, operation, order }));
    });
  }

  /** @param {readonly Kept[]} kept */
  remove(kept) {
    this.#write((store) => {
      for (const { order } of kept) store.delete([this.#sheet, this.#client_id, order]);
    });
  }

  /**
   * Return, in order, what this tab had not got acknowledged before it was reloaded.
   * @returns {Promise<Kept[]>}
   */
  ownLines() {
    return this.#linesOf(this.#client_id);
  }

  /**
   * Hand over, in order, what tabs that are gone left behind. Each tab's lines are handed over under its lock and only
   * then forgotten, so that they are never in nobody's care.
   * @param {(orphans: Kept[]) => void} adopt puts them under this tab's name
   */
  async handOverOrphans(adopt) {
    const index = this.#database.transaction(STORE).objectStore(STORE).index("sheet");
    /** @type {Line[]} */
    const lines = await answerOf(index.getAll(this.#sheet));
    const owners = new Set(lines.map(({ client_id }) => client_id));
    owners.delete(this.#client_id);
    for (const owner of owners) {
      const take = async () => {
        const orphans = await this.#linesOf(owner);
        adopt(orphans);
        this.#write((store) => {
          for (const { order } of orphans) store.delete([this.#sheet, owner, order]);
        });
      };
      // Without locks (plain HTTP) a living tab's lines are taken too: both tabs send them, the log keeps one.
      if (!navigator.locks) await take();
      else await navigator.locks.request(lockOf(owner), { ifAvailable: true }, (lock) => (lock ? take() : undefined));
    }
  }

  /**
   * @param {string} client_id
   * @returns {Promise<Line[]>}
   */
  #linesOf(client_id) {
    const range = IDBKeyRange.bound([this.#sheet, client_id], [this.#sheet, client_id, []]);
    return answerOf(this.#database.transaction(STORE).objectStore(STORE).getAll(range));
  }

  /**
   * @param {Kept} kept
   * @returns {Line}
   */
  #line(kept) {
    return { ...kept, sheet: this.#sheet, client_id: this.#client_id };
  }

  /** @param {(store: IDBObjectStore) => void} write */
  #write(write) {
    try {
      const transaction = this.#database.transaction(STORE, "readwrite");
      transaction.onabort = () => this.#failed(transaction.error);
      write(transaction.objectStore(STORE));
      transaction.commit(); // at once: a page that is being reloaded would abort an open transaction
    } catch (error) {
      this.#failed(error);
    }
  }
}
