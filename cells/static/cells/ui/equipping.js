/** Sets up what a sheet's page did without until its first cells were shown. */

import { typedOf } from "../domain/references.js";
import { Announcer } from "./announcer.js";
import { CellHistory } from "./cell_history.js";
import { byId } from "./elements.js";
import { Find } from "./find.js";
import { Follow } from "./follow.js";
import { spokenOf } from "./formula_notes.js";
import { Help } from "./help.js";
import { fileItems, historyItems, protectionItems } from "./menu_items.js";
import { MoreRows } from "./more_rows.js";
import { Offers } from "./offers.js";
import { People } from "./people.js";
import { refusalOf } from "./refusals.js";
import { Restores } from "./restoring.js";
import { makeRegions } from "./regions.js";
import { storage } from "./storage.js";
import { Streams } from "./streams.js";
import { SumsLine } from "./sums.js";
import { Tints } from "./tints.js";
import { Toolbar } from "./toolbar.js";
import { Versions } from "./versions.js";
import { Voice } from "./voice.js";
import { gettext } from "./words.js";

/**
 * @typedef {object} Around
 * @property {HTMLElement} page
 * @property {import("./grid.js").Grid} grid
 * @property {import("./then_or_now.js").ThenOrNow} model
 * @property {import("./presence.js").Presence} presence
 * @property {import("./notices.js").Notices} notices
 * @property {import("./versions.js").Around["newPast"]} newPast
 */

/**
 * @param {import("./grid.js").Parts} parts that the grid is handed
 * @param {Around} around
 */
export function equip(parts, around) {
  const { page, grid, model, presence, notices, newPast } = around;
  const { menu, styling } = grid.equip(parts);
  const voice = new Voice(byId("polite"), byId("assertive"), storage());
  const announcer = new Announcer({
    who: (label) => presence.author(label),
    addressOf: (row_id, column_id) => grid.addressOf(row_id, column_id),
    textOf: (row_id, column_id, input) => spokenOf(input, grid.shown.at(row_id, column_id), model),
    polite: (sentence) => {
      if (!model.isPast) voice.polite(sentence);
    },
    setTimeout: (run, ms) => setTimeout(run, ms),
    now: () => performance.now(),
  });
  announcer.isOn = voice.isOn;
  const toolbar = new Toolbar(byId("toolbar"), {
    model,
    selection: grid.selection,
    styling,
    finish: () => grid.finish(),
    focus: () => grid.focus(),
    takeBack: (kind) => grid.takeBack(kind),
  });
  const sums = new SumsLine(byId("foot"), { model, selection: grid.selection, styleNow: () => styling.style });
  const follow = new Follow(byId("stage"), {
    host: byId("grid"),
    reveal: (row_id, column_id) => grid.reveal(row_id, column_id),
    focus: () => grid.focus(),
    say: (sentence) => voice.polite(sentence),
  });
  const people = new People(byId("people"), {
    find: (client_id) => presence.find(client_id),
    goTo: (row_id, column_id) => grid.goTo(row_id, column_id),
    follow: (client) => follow.start(client),
    openMenu: (...asked) => menu.open(...asked),
  });
  presence.showBy((clients, isStreaming) => people.show(clients, isStreaming));
  const tints = new Tints({
    now: () => performance.now(),
    setTimeout: (run, ms) => setTimeout(run, ms),
    changed: () => grid.repaint(),
    colorOf: (label) => presence.author(label)?.color ?? null,
  });
  const find = new Find(byId("stage"), { model, grid, tell: (sentence) => void notices.tell(sentence) });
  /**
   * @param {number} row_id
   * @param {number} column_id
   */
  const rectOf = (row_id, column_id) => {
    const rects = grid.rectOf(row_id, column_id);
    if (rects === null) return null;
    const { x, y, width, height } = rects.view;
    return { cell: rects.cell, view: new DOMRect(x, y + follow.height, width, height - follow.height) };
  };
  const offers = new Offers(byId("stage"), {
    rectOf,
    addressOf: (row_id, column_id) => grid.addressOf(row_id, column_id),
    goTo: (row_id, column_id) => grid.goTo(row_id, column_id),
    putBack: (row_id, column_id, text) => grid.putBack(row_id, column_id, text),
    typedOf: (input) => typedOf(input, model),
    submit: (operation) => void model.submit(operation),
    mayEdit: () => model.mayEdit,
    focus: () => grid.focus(),
    say: (sentence) => voice.assertive(sentence),
    tell: (sentence, lost) => void notices.tell(sentence, lost),
  });
  const streams = new Streams({
    stage: byId("stage"),
    foot: byId("foot"),
    people: byId("people"),
    token: page.dataset.token ?? "",
    model,
    selection: grid.selection,
    port: (axis) => grid.port(axis),
    rectOf,
    addressOf: (row_id, column_id) => grid.addressOf(row_id, column_id),
    write: (edits) => grid.write(edits),
    repaint: () => grid.repaint(),
    focus: () => grid.focus(),
    say: (sentence) => voice.polite(sentence),
    tell: (sentence) => void notices.tell(sentence),
  });
  const moreRows = new MoreRows(byId("stage"), {
    end: () => grid.end,
    mayEdit: () => model.mayEdit && model.isLoaded,
    add: (count) => grid.addRows(count),
    focus: () => grid.focus(),
  });
  new Help(byId("help-button"), {
    get isOn() {
      return announcer.isOn;
    },
    keep: (isOn) => {
      announcer.isOn = isOn;
      voice.keep(isOn);
    },
  }, () => grid.focus(), () => model.mayEditNow);
  const goRound = makeRegions(() => grid.finish());
  const cellHistory = new CellHistory(byId("stage"), {
    rectOf,
    addressOf: (row_id, column_id) => grid.addressOf(row_id, column_id),
    active: () => grid.activeIds(),
    typedOf: (input) => typedOf(input, model),
    showBefore: (revision, at) => versions.showBefore(revision, at),
    focus: () => grid.focus(),
  });
  const restores = new Restores({
    wait: (sentence) => notices.wait(sentence),
    offer: (...offered) => notices.offer(...offered),
    undo: (operation_id) => {
      if (!model.undo(operation_id)) notices.tell(gettext("There is nothing of yours to undo."));
    },
  });
  const versions = new Versions({
    deck: byId("deck"),
    stage: byId("stage"),
    host: byId("grid"),
    button: byId("history-button"),
    token: page.dataset.token ?? "",
    model,
    grid,
    newPast,
    turned: () => {
      follow.stop();
      find.changed();
    },
    say: (sentence) => voice.polite(sentence),
    tell: (sentence) => void notices.tell(sentence),
    restores,
  });
  return {
    ...{ announcer, find, follow, goRound, offers, refusalOf, restores, streams, tints },
    /** @param {"cells"|"shape"|"opened"|"unsaved"|"history"} what is other than before */
    changed(what) {
      if (what === "history") toolbar.refresh();
      if (what === "opened" || what === "unsaved") versions.lineChanged();
      if (what !== "cells" && what !== "shape") return;
      find.changed();
      versions.changed();
    },
    painted() {
      find.refresh();
      offers.place();
      moreRows.place();
      toolbar.refresh();
      sums.refresh();
      cellHistory.place();
      if (!model.isPast) streams.painted();
    },
    /** What the grid's menu offers beside what the grid does. */
    items: () => [
      ...(model.mayEditNow ? [null, ...historyItems(grid.activeIds(), (...cell) => cellHistory.open(...cell), () => versions.open())] : []),
      ...(model.isOwner ? [null, ...protectionItems(grid.selection)] : []),
      null,
      ...fileItems(model.mayEdit),
    ],
  };
}
