/** The page that imports a file: its first rows, what is to become of its columns, and how far it has come. */

import { formatColumn } from "../domain/addresses.js";
import { byId, element } from "./elements.js";
import { gettext, ngettext } from "./words.js";

const PREVIEW_BYTES = 256 * 1024; // of a CSV file: its first rows, and enough to tell how it is written

/** @typedef {{code: string, sentence: string, reason: string}} Refusal */
/** @typedef {{rows: {row: number, cells: [column: number, text: string][]}[], encoding: string, delimiter: string}} Preview */
/** @typedef {{state: "reading"|"writing"|"done"|"refused", rows: number, of: number, cells: number, left_out?: number, address: string, operations?: string[]} & Refusal} Line */

/** @type {HTMLFormElement} */
const form = byId("import");
/** @type {HTMLInputElement} */
const chosen = byId("file");
/** @type {HTMLButtonElement} */
const start = byId("start");
/** @type {HTMLProgressElement} */
const bar = byId("bar");
const csvForm = byId("csv-form");
const cancel = byId("cancel");
const shown = byId("preview");
const refusal = byId("refusal");
const progress = byId("progress");
/** @type {HTMLInputElement} */
const textOnly = byId("text-only");
/** @type {HTMLInputElement} */
const texts = byId("texts");

/** @type {AbortController|null} what is asked at the moment */
let asking = null;

/** @type {string[]} the ids of what the import has committed, where it can be undone */
let committed = [];

/** @type {(operation_ids: string[]) => void} */
let ended = () => {};

/** @param {Refusal} why */
function refuse({ sentence, reason }) {
  refusal.textContent = reason ? `${sentence} (${reason})` : sentence;
  refusal.hidden = false;
}

const isWorkbook = (/** @type {File} */ file) => /\.xls[xm]$/i.test(file.name);

async function look() {
  asking?.abort();
  const asked = new AbortController();
  asking = asked;
  const file = chosen.files?.[0];
  refusal.hidden = true;
  shown.hidden = true;
  start.disabled = true;
  textOnly.value = "";
  texts.value = "";
  if (file === undefined) return;
  csvForm.hidden = isWorkbook(file);
  if (file.size > Number(form.dataset.maxBytes)) {
    refuse({ code: "limit_exceeded", sentence: gettext("The file is too large."), reason: "" });
    return;
  }
  const body = new FormData(form);
  body.set("file", isWorkbook(file) ? file : file.slice(0, PREVIEW_BYTES), file.name);
  try {
    const response = await fetch("preview/", { method: "POST", body, signal: asked.signal });
    const answer = await response.json();
    if (!response.ok) return refuse(answer);
    show(answer);
    start.disabled = false;
  } catch {
    if (!asked.signal.aborted) refuse(unanswered());
  }
}

/** @param {Preview} preview */
function show({ rows, encoding, delimiter }) {
  byId("found").textContent = encoding ? `${encoding}, ${delimiter === "\t" ? gettext("tab") : delimiter}` : "";
  const width = Math.max(0, ...rows.flatMap(({ cells }) => cells.map(([column]) => column + 1)));
  const table = element("table", "table");
  const head = element("tr", "");
  head.append(element("th", ""));
  for (let column = 0; column < width; column++) head.append(columnHead(column));
  table.append(head);
  for (const { row, cells } of rows) {
    const line = element("tr", "");
    line.append(element("th", "", { scope: "row" }, String(row)));
    const inputs = new Map(cells);
    for (let column = 0; column < width; column++) line.append(element("td", "", { dir: "auto" }, inputs.get(column) ?? ""));
    table.append(line);
  }
  shown.replaceChildren(width ? table : element("p", "muted", {}, gettext("The file is empty.")));
  shown.hidden = false;
}

/** @param {number} column */
function columnHead(column) {
  const name = formatColumn(column);
  const choice = element("select", "", { "aria-label": gettext("Column %(column)s", { column: name }), "data-column": String(column) });
  for (const [value, label] of [["", gettext("as typed")], ["texts", gettext("text")], ["text-only", gettext("no formulas")]]) {
    choice.append(element("option", "", { value }, label));
  }
  choice.addEventListener("change", noteChoices);
  const head = element("th", "", { scope: "col" }, name);
  head.append(choice);
  return head;
}

function noteChoices() {
  for (const field of [textOnly, texts]) {
    const choices = [...shown.querySelectorAll("select")].filter((choice) => choice.value === field.id);
    field.value = choices.map((choice) => choice.dataset.column).join(",");
  }
}

/** @param {SubmitEvent} event */
async function bringIn(event) {
  event.preventDefault();
  asking?.abort();
  const asked = new AbortController();
  asking = asked;
  refusal.hidden = true;
  committed = [];
  isRunning(true);
  try {
    const response = await fetch("run/", { method: "POST", body: new FormData(form), signal: asked.signal });
    if (!response.ok || response.body === null) return refuse(await response.json());
    if (!(await follow(response.body))) refuse(unanswered());
  } catch {
    if (asked.signal.aborted) progress.textContent = form.elements.namedItem("at") ? gettext("Cancelled. What had come until then stays in the sheet.") : gettext("Cancelled.");
    else refuse(unanswered());
  } finally {
    isRunning(false);
  }
}

/**
 * Read the answer's lines as they come; return whether the last one was there.
 * @param {ReadableStream<Uint8Array>} body
 */
async function follow(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (tell(JSON.parse(line))) return true;
    if (done) return false;
  }
}

/**
 * Show how far it has come; return whether it is over.
 * @param {Line} line
 */
function tell({ state, rows, of, address, left_out = 0, operations = [], ...why }) {
  committed.push(...operations);
  if (state === "refused") refuse(why);
  if (state === "reading") progress.textContent = ngettext("Reading: %(count)s row", "Reading: %(count)s rows", rows);
  if (state === "writing") {
    bar.value = rows / of;
    progress.textContent = gettext("Row %(row)s of %(rows)s", { row: rows, rows: of });
  }
  const isOver = state === "done" || state === "refused";
  // Not where it was broken off: what was committed last has not been told then, and half an undo is none.
  if (isOver && committed.length > 0) ended(committed);
  if (state === "done" && left_out === 0) location.assign(address);
  if (state === "done" && left_out > 0) tellLeftOut(left_out, address);
  return isOver;
}

/**
 * Stay on the page, so that it is read, and lead to the sheet.
 * @param {number} count
 * @param {string} address
 */
function tellLeftOut(count, address) {
  const sentence = ngettext(
    "Imported, but for %(count)s cell: somebody has deleted its row or column meanwhile.",
    "Imported, but for %(count)s cells: somebody has deleted their rows or columns meanwhile.",
    count,
  );
  progress.replaceChildren(`${sentence} `, element("a", "", { href: address }, gettext("Open the sheet")));
}

/** @param {boolean} isSo */
function isRunning(isSo) {
  start.disabled = isSo;
  cancel.hidden = !isSo;
  bar.hidden = !isSo;
  bar.removeAttribute("value");
  if (isSo) progress.textContent = "";
}

const unanswered = () => ({ code: "unavailable", sentence: gettext("The server does not answer. Try again in a minute."), reason: "" });

/**
 * Let files be looked at and imported.
 * @param {(operation_ids: string[]) => void} done an import has ended by itself: what it has committed
 */
export function offerImporting(done) {
  ended = done;
  chosen.addEventListener("change", () => void look());
  csvForm.addEventListener("change", () => void look());
  cancel.addEventListener("click", () => asking?.abort());
  form.addEventListener("submit", (event) => void bringIn(event));
  if (chosen.files?.length) void look(); // a browser that came back keeps what was chosen
}
