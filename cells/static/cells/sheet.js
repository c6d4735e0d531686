/** The page of one sheet: the only module that knows both the connection and the grid. */

import { Arrivals, PACKING, pause } from "./sync/arrivals.js";
import { CLOSE, Connection } from "./sync/connection.js";
import { dial, firstWords } from "./sync/dialling.js";
import { newId } from "./sync/ids.js";
import { claimClientId, Journal, stepsOf } from "./sync/journal.js";
import { Past } from "./sync/past.js";
import { Replica } from "./sync/replica.js";
import { byId } from "./ui/elements.js";
import { Grid } from "./ui/grid.js";
import { Notices } from "./ui/notices.js";
import { Presence } from "./ui/presence.js";
import { Protections } from "./ui/protections.js";
import { describe, paintStatus } from "./ui/status.js";
import { storage } from "./ui/storage.js";
import { ThenOrNow } from "./ui/then_or_now.js";
import { gettext, ngettext } from "./ui/words.js";
import { ZoomControl } from "./ui/zoom.js";

const TICK_MS = 250; // how late a due retry or a noticed gap may be
const PATIENCE_MS = 1_500; // with the first cells; then what comes after them is loaded all the same
const RELOAD_MS = 5_000; // until what could not be loaded is asked for again
const PRESENCE_MS = 100; // others see a moving cursor ten times a second

/** @typedef {import("./ui/equipment.js")} Parts */
/** @typedef {ReturnType<Parts["equip"]>} Equipment */

const page = byId("workbench");
const { role = "viewer" } = page.dataset;
const isReadOnly = page.dataset.readOnly !== undefined; // here; what the person may do elsewhere is the server's to say
const isEmbedded = page.dataset.embedded !== undefined; // in a page of others: the keyboard is theirs until it is wanted here
const { address, clientIdKey, keptAs, newClientId, user } = firstWords;

/** @type {Journal|null} */
let journal = null;
let isKept = true;
let isStatusDue = false;
/** @type {Equipment|null} null until it has come */
let equipment = null;
let areCellsShown = () => {};
/** @type {Promise<void>} what is not needed for the first cells waits for them */
const whenShown = new Promise((resolve) => {
  areCellsShown = () => requestAnimationFrame(() => resolve());
  setTimeout(resolve, PATIENCE_MS);
});
const whenEquipped = loadEquipment();

const notices = new Notices(byId("notices"));
const { client_id, isNew, isHeld } = await claimClientId(clientIdKey, newClientId).catch(
  () => ({ client_id: newClientId ?? newId(), isNew: true, isHeld: Promise.resolve(false) }), // a browser may refuse to store anything
);

const replica = new Replica({
  client_id,
  user,
  packing: PACKING,
  view: firstRows,
  now: () => performance.now(),
  clock: () => Date.now(),
  random: Math.random,
  newId,
  send: (frame) => connection.send(frame),
  changed: (what) => {
    if (what === "shape") grid.reshape();
    if (what === "cells") grid.changed();
    if (what === "opened") opened();
    equipment?.changed(what);
    showStatus();
  },
  refused: (refusal) => {
    const { text, operation } = refusal;
    void whenEquipped.then(({ offers, refusalOf, restores }) => {
      restores.refused(refusal.operation_id);
      offers.refused(refusalOf(refusal, grid.hasDeletedFor(operation)), text, operation);
    });
  },
  overwritten: (overwritten) => {
    const name = (presence.author(overwritten.author) ?? presence.author(null))?.name ?? "";
    void whenEquipped.then(({ offers }) => offers.overwritten(name, overwritten));
  },
  came: (changes) => equipment?.streams.take(changes),
  arrived: (changes) => {
    equipment?.tints.take(changes);
    equipment?.announcer.take(changes);
    if (changes.some(([author]) => author === "stream")) presence.streamIsHere();
  },
  left: (count) => {
    notices.tell(
      ngettext(
        "%(count)s cell was left alone, for somebody has changed it since.",
        "%(count)s cells were left alone, for somebody has changed them since.",
        count,
      ),
    );
  },
  restored: (operation_id, left) => void whenEquipped.then(({ restores }) => restores.restored(operation_id, left)),
  journal: {
    put: (kept) => keep((opened) => opened.put(kept)),
    remove: (kept) => keep((opened) => opened.remove(kept)),
  },
  steps: stepsOf(client_id),
});
replica.role = !isReadOnly && (role === "owner" || role === "editor") ? role : "viewer"; // until the server says so itself

const connection = new Connection(address, {
  dial,
  hello: () => replica.openFrame(),
  receive: (message) => arrivals.take(message),
  changed: (state, code) => {
    if (state === "open") {
      void adoptOrphans();
      equipment?.streams.forget();
    }
    if (state === "waiting" || state === "stopped") {
      arrivals.forget();
      replica.disconnected();
      presence.forget();
    }
    if (state === "waiting" && code === CLOSE.tooMany) replica.slowDown();
    showStatus();
  },
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  random: Math.random,
});

const arrivals = new Arrivals({
  receive: (frame) => {
    if (frame.type === "sheet.opened") protections.take(); // where anything is protected, that is told next
    if (frame.type === "presence.changed") presence.take(frame);
    else if (frame.type === "protections.changed") protect(frame);
    else if (frame.type === "error") console.warn("The server refused a frame:", frame.code, frame.message);
    else replica.receive(frame);
  },
  progressed: () => replica.progressed(),
  broken: (error) => {
    console.warn("The sheet could not be unpacked; it comes as text:", error);
    replica.cannotUnpack();
  },
  begin: () => whenShown,
  pause,
  now: () => performance.now(),
});

const presence = new Presence({
  changed: () => grid.repaint(),
  moved: (clients) => equipment?.follow.take(clients),
});

/** @type {import("./ui/whereabouts.js").Whereabouts|null} */
let whereabouts = null;
let presenceTimer = 0;

const protections = new Protections(replica);
const sheet = new ThenOrNow(replica);
const grid = new Grid(sheet, sheet.dress({
  host: byId("grid"),
  stage: byId("stage"),
  formula: /** @type {HTMLTextAreaElement} */ (byId("formula")),
  nameBox: /** @type {HTMLInputElement} */ (byId("name-box")),
  cursors: () => presence.cursors(replica.rows, replica.columns),
  tints: (row_id) => equipment?.tints.row(row_id),
  isLively: () => equipment !== null && equipment.tints.isLively,
  found: (row_id) => equipment?.find.row(row_id),
  marks: (row_id) => protections.row(row_id, equipment?.streams.row(row_id)),
  refusalIn: (range) => protections.refusalIn(range),
  painted: () => {
    if (replica.isLoaded || replica.isKnown(replica.rows.idAt(0) ?? -1)) areCellsShown();
    equipment?.painted();
  },
  zoomed: (now) => zoom.show(now),
  moved: (now) => {
    if (whereabouts && String([now.cell, now.range]) !== String([whereabouts.cell, whereabouts.range])) equipment?.follow.stop();
    whereabouts = now;
    presenceTimer ||= window.setTimeout(announce, PRESENCE_MS);
  },
  leave: () => equipment?.goRound(1),
  items: () => equipment?.items() ?? [],
  tell: (sentence, lost) => notices.tell(sentence, lost),
}));

const zoom = new ZoomControl(byId("foot"), storage(), (wanted) => grid.zoomTo(wanted));
zoom.restore();

/**
 * Load what is not needed for the first cells as soon as these are shown: it must be here when the line is lost.
 * @returns {Promise<Equipment>}
 */
async function loadEquipment() {
  await whenShown;
  const parts = await partsOfPage();
  equipment = parts.equip(parts, { page, grid, model: sheet, presence, notices, newPast: (markOf) => new Past(markOf) });
  opened();
  return equipment;
}

/**
 * Load a part of the page, however often it takes.
 * @returns {Promise<Parts>}
 */
async function partsOfPage() {
  for (;;) {
    try {
      return await import("./ui/equipment.js");
    } catch (error) {
      console.warn("A part of the page could not be loaded:", error);
      notices.tell(gettext("A part of this page could not be loaded. It is tried again."));
    }
    await new Promise((resolve) => setTimeout(resolve, RELOAD_MS));
  }
}

/** @param {Parameters<Protections["take"]>[0]} told */
function protect(told) {
  protections.take(told);
  grid.repaint();
}

/** @returns {{first: number, count: number}} */
function firstRows() {
  return grid.firstRows;
}

function announce() {
  presenceTimer = 0;
  if (whereabouts && connection.state === "open") connection.send({ type: "presence.update", ...whereabouts });
}

function opened() {
  if (isReadOnly) replica.role = "viewer";
  if (replica.you) presence.iAm(replica.you.client_id);
  if (replica.title) {
    byId("title").textContent = replica.title;
    document.title = `${replica.title} · SheetSync`;
  }
  page.dataset.loaded = String(replica.isLoaded && equipment !== null);
  byId("menu-button").hidden = !replica.mayEdit;
  announce();
  grid.repaint();
}

function showStatus() {
  if (isStatusDue) return;
  isStatusDue = true;
  requestAnimationFrame(() => {
    isStatusDue = false;
    paintStatus(byId("status"), describe({
      line: connection.state,
      code: connection.code,
      isLoaded: replica.isLoaded,
      loading: replica.loading,
      mayEdit: replica.mayEdit,
      isOnline: navigator.onLine,
      unsaved: replica.unsaved,
      isStruggling: replica.isStruggling,
      isGuest: user === "",
      isKept,
    }));
    byId("sign-in").hidden = !(connection.state === "stopped" && connection.code === CLOSE.notSignedIn);
    page.dataset.unsaved = String(replica.unsaved);
    document.title = `${replica.unsaved > 0 ? "● " : ""}${document.title.replace(/^● /, "")}`; // seen among other tabs
    page.dataset.line = connection.state;
    page.dataset.revision = String(replica.revision);
    page.dataset.canUndo = String(replica.canUndo);
    page.dataset.canRedo = String(replica.canRedo);
  });
}

/** @param {unknown} error */
function cannotKeep(error) {
  isKept = false;
  console.warn("Unsaved edits cannot be kept in this browser:", error);
  showStatus();
}

/** Open the journal; what it kept of this tab from before a reload comes first. */
async function openJournal() {
  try {
    await isHeld;
    if (isNew) await whenShown;
    const opened = await Journal.open(keptAs, client_id, cannotKeep);
    if (!isNew) replica.restore(await opened.ownLines());
    journal = opened;
  } catch (error) {
    cannotKeep(error);
  }
}

/** @param {(opened: Journal) => void} write */
function keep(write) {
  if (journal) write(journal);
  else void whenKept.then(() => journal && write(journal));
}

async function adoptOrphans() {
  try {
    await whenKept;
    if (replica.mayEdit) await journal?.handOverOrphans((orphans) => replica.adopt(orphans));
  } catch (error) {
    cannotKeep(error);
  }
}

const whenKept = openJournal();
if (!isNew) await whenKept; // a new tab has nothing in it that would have to be sent first

addEventListener("online", () => connection.nudge());
addEventListener("offline", showStatus);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && connection.nudge());
addEventListener("pagehide", () => grid.finish());
addEventListener("beforeunload", (event) => {
  if (replica.unsaved > 0 && (journal === null || !isKept)) event.preventDefault();
});
byId("menu-button").addEventListener("click", (event) => {
  const { left, bottom } = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
  grid.openMenu(left, bottom + 4);
});
setInterval(() => replica.tick(), TICK_MS);
showStatus();
if (!isEmbedded) grid.focus();
connection.open();
