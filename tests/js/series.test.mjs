import assert from "node:assert/strict";
import { test } from "node:test";

import { continueSeries } from "../../cells/static/cells/domain/series.js";

/** @type {[what: string, texts: string[], next: string[], direction?: 1|-1][]} */
const CASES = [
  ["one number is repeated", ["7"], ["7", "7", "7"]],
  ["numbers go on by their step", ["1", "2"], ["3", "4", "5"]],
  ["a step may be negative, and pass zero", ["2", "1"], ["0", "-1", "-2"]],
  ["decimals stay what they were", ["0.1", "0.2"], ["0.3", "0.4", "0.5"]],
  ["written zeros stay", ["1.50", "1.75"], ["2.00", "2.25", "2.50"]],
  ["decimals come where they are needed", ["1", "1.5"], ["2", "2.5", "3"]],
  ["signs stay", ["$1,000.00", "$1,100.50"], ["$1,201.00", "$1,301.50", "$1,402.00"]],
  ["percent stays", ["5%", "10%"], ["15%", "20%", "25%"]],
  ["numbers without one step are repeated", ["1", "2", "4"], ["1", "2", "4"]],
  ["a date goes on by a day", ["2026-02-27"], ["2026-02-28", "2026-03-01", "2026-03-02"]],
  ["a date goes back by a day", ["2026-03-01"], ["2026-02-28", "2026-02-27", "2026-02-26"], -1],
  ["dates go on by their step", ["2026-01-01", "2026-01-08"], ["2026-01-15", "2026-01-22", "2026-01-29"]],
  ["months go on by months, short ones end earlier", ["2026-01-31", "2026-03-31"], ["2026-05-31", "2026-07-31", "2026-09-30"]],
  ["months go back over the year", ["2026-02-15", "2026-01-15"], ["2025-12-15", "2025-11-15", "2025-10-15"], -1],
  ["years go on", ["2024-02-29", "2028-02-29"], ["2032-02-29", "2036-02-29", "2040-02-29"]],
  ["no day that has no year", ["9999-12-31"], ["9999-12-31", "9999-12-31", "9999-12-31"]],
  ["a numbered text goes on by one", ["Item 1"], ["Item 2", "Item 3", "Item 4"]],
  ["a numbered text goes back by one, and never below nothing", ["Item 1"], ["Item 0", "Item 1", "Item 2"], -1],
  ["zeros before a number stay", ["No. 009"], ["No. 010", "No. 011", "No. 012"]],
  ["numbered texts go on by their step", ["Q1", "Q3"], ["Q5", "Q7", "Q9"]],
  ["other texts take turns", ["a", "b"], ["a", "b", "a"]],
  ["a time is repeated", ["10:30"], ["10:30", "10:30", "10:30"]],
  ["a formula is repeated", ["=A1"], ["=A1", "=A1", "=A1"]],
  ["empty cells take turns, too", ["x", ""], ["x", "", "x"]],
  ["a mixture takes turns", ["1", "a"], ["1", "a", "1"]],
  ["numbers with exponents are repeated", ["1e3", "2e3"], ["1e3", "2e3", "1e3"]],
];

for (const [what, texts, next, direction] of CASES) {
  test(what, () => assert.deepEqual(continueSeries(texts, 3, direction), next));
}
