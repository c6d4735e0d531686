import assert from "node:assert/strict";
import { test } from "node:test";

import { agoOf, dayOf } from "../../cells/static/cells/ui/ago.js";
import { looksChanged, wayOf } from "../../cells/static/cells/ui/change_words.js";
import { TimeLine } from "../../cells/static/cells/ui/time_line.js";
import { VersionSteps, before } from "../../cells/static/cells/ui/version_steps.js";

const entry = ([first, last]) => ({ first, last, name: null, operations: last - first + 1 });
const page = (before, ...spans) => ({ entries: spans.map(entry), before, oldest: 0, head: (spans[0]?.[1] ?? 0) + 1 });

function line(...pages) {
  const made = new TimeLine();
  for (const [place, one] of pages.entries()) place === 0 ? made.takeNewest(one) : made.takeOlder(one);
  return made;
}

const spans = (made) => made.versions.map(({ first, last }) => `${first}-${last}`);

test("what was asked for of the older versions stays when the newest are asked for again", () => {
  const made = line(page(11, [15, 20], [11, 14]), page(1, [5, 10], [1, 4]));
  made.takeNewest(page(11, [21, 22], [15, 20], [11, 14]));
  assert.deepEqual([spans(made), made.before], [["21-22", "15-20", "11-14", "5-10", "1-4"], 1]);
  made.takeNewest(page(15, [21, 30], [15, 20]));
  assert.deepEqual([spans(made), made.before], [["21-30", "15-20", "11-14", "5-10", "1-4"], 1]);
});

test("where something between may be missing, it is asked for before what is older", () => {
  const made = line(page(11, [15, 20], [11, 14]), page(null, [1, 10]));
  made.takeNewest(page(40, [50, 60], [40, 49]));
  assert.deepEqual([spans(made), made.before], [["50-60", "40-49"], 40]);
  const cut = line(page(11, [15, 20], [11, 14]), page(null, [1, 10]));
  cut.takeNewest(page(18, [21, 30], [18, 20]));
  assert.deepEqual([spans(cut), cut.before], [["21-30", "18-20"], 18]);
});

test("a version is looked at where its formulas had been calculated, behind its last edit", () => {
  const made = line(page(5, [9, 10], [5, 6]), page(null, [1, 2]));
  made.takeOlder({ entries: [{ ...entry([1, 1]), operations: 0 }], before: null, oldest: 0, head: 11 }); // kept, without what led to it
  assert.deepEqual(made.versions.map(({ through }) => through), [11, 8, 4, 1]);
});

test("a version that goes on while it is looked at stays what it was, with the rest beside it", () => {
  const made = line(page(null, [3, 4], [1, 2]));
  const [shown] = made.versions;
  made.takeNewest(page(null, [3, 9], [1, 2]));
  const spansBeside = (version) => made.versionsBeside(version).map(({ first, last, operations }) => [first, last, operations]);
  assert.deepEqual(spansBeside(shown), [[5, 9, 5], [3, 4, 2], [1, 2, 2]]);
  assert.deepEqual(spansBeside(null), [[3, 9, 7], [1, 2, 2]]);
});

test("what is pruned leaves the line, but for what its name keeps, and what can still be told", () => {
  const made = line(page(7, [9, 12], [7, 8]), page(null, [5, 6], [3, 4], [1, 2]));
  made.named(2, "Budget");
  made.takeNewest({ ...page(7, [9, 12], [7, 8]), oldest: 6 });
  assert.deepEqual(spans(made), ["9-12", "7-8", "5-6", "1-2"]);
  made.reaches(10);
  assert.deepEqual([spans(made), made.oldest], [["9-12", "1-2"], 10]);
  assert.deepEqual([9, 10].map((last) => made.isGone({ last, name: null })), [true, false]);
});

test("a version gets its name, and loses it", () => {
  const made = line(page(null, [3, 4], [1, 2]));
  made.named(2, "Budget");
  assert.deepEqual(made.versions.map(({ name }) => name), [null, "Budget"]);
  made.named(2, null);
  assert.equal(made.versions[1].name, null);
});

test("what became of a cell's looks is said in words, each part once", () => {
  assert.deepEqual(looksChanged({ bold: true, fill: "#ffffff" }, { fill: "#ffe599", format: "currency", currency: "EUR" }), [
    "No longer bold",
    "Fill colour: #ffe599",
    "Number format: Currency (EUR)",
  ]);
  assert.deepEqual(looksChanged(null, ""), []);
  assert.deepEqual(looksChanged({ align: "left", color: "#102030" }, ""), ["Text colour: Automatic", "Alignment: automatic"]);
});

test("the way that a change came is said, of a stream with its message", () => {
  assert.equal(wayOf("user", "set_cells", null), "");
  assert.equal(wayOf("api", "undo", null), "By a program · By an undo");
  assert.equal(wayOf("stream", "set_cells", { subscription: "ticks-sub", message_id: "17" }), "Stream ticks-sub, message 17");
});

test("moments are called as people call them", () => {
  const now = new Date(2026, 10, 27, 1, 0);
  assert.equal(agoOf(new Date(now.getTime() - 5 * 60_000), now), "5 minutes ago");
  assert.equal(agoOf(new Date(now.getTime() + 9_000), now), "now"); // another clock
  assert.deepEqual([dayOf(new Date(2026, 10, 27), now), dayOf(new Date(2026, 10, 26, 23, 59), now)], ["today", "yesterday"]);
  assert.match(dayOf(new Date(2026, 10, 25), now), /November 25, 2026/);
});

test("a version's edits are asked for by pages, each looked at where its formulas had been calculated", () => {
  const steps = new VersionSteps();
  const [version] = line(page(null, [2, 9])).versions;
  const listed = (it) => steps.of(it).steps.map(({ first, through }) => [first, through]);
  assert.equal(steps.of(version), null);
  assert.equal(steps.queryFor(version, "newest"), "?first=2&last=9");
  steps.take(version, "newest", page(7, [9, 9], [7, 7]));
  assert.equal(steps.queryFor(version, "older"), "?first=2&last=6");
  steps.take(version, "older", page(null, [4, 4], [2, 2]));
  assert.deepEqual(listed(version), [[9, 10], [7, 8], [4, 6], [2, 3]]);
  assert.equal(steps.of(version).hasMore, false);
  assert.equal(steps.isStale(version), false);
  const [grown] = line(page(null, [2, 12])).versions;
  assert.equal(steps.isStale(grown), true);
  steps.take(grown, "newest", page(9, [12, 12], [9, 9]));
  assert.deepEqual(listed(grown), [[12, 13], [9, 11], [7, 8], [4, 6], [2, 3]]);
  const [far] = line(page(null, [2, 30])).versions;
  steps.take(far, "newest", page(20, [30, 30], [20, 20])); // what lies between is not here
  assert.deepEqual([listed(far), steps.of(far).hasMore], [[[30, 31], [20, 29]], true]);
  steps.close(far);
  assert.equal(steps.of(far), null);
});

test("before an edit the sheet was what its revision before said, and that is no part of a version that goes on", () => {
  const made = line(page(null, [3, 9], [1, 2]));
  const shown = before(made.versions[0]);
  assert.deepEqual([shown.last, shown.through], [2, 2]);
  assert.deepEqual(made.versionsBeside({ ...shown, first: 5, last: 4, through: 4 }).map(({ first, last }) => [first, last]), [[3, 9], [1, 2]]);
});
