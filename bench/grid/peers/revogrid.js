// RevoGrid as its documentation sets it up: objects as rows; changed in place and refreshed, a frame's changes at once.

import { defineCustomElements } from "@revolist/revogrid/loader";

import { columns, rows, textAt } from "../contents.js";

defineCustomElements();
const source = Array.from({ length: rows }, (_, row) =>
  Object.fromEntries(Array.from({ length: columns }, (_, column) => [`c${column}`, textAt(row, column)])),
);
const grid = document.createElement("revo-grid");
grid.rowSize = 25;
grid.rowHeaders = true;
grid.columns = Array.from({ length: columns }, (_, column) => ({ prop: `c${column}`, name: `Column ${column + 1}`, size: 112 }));
grid.source = source;
grid.style.height = "100%";
document.getElementById("host").append(grid);

window.subject = {
  isPainted: () => Boolean(document.querySelector("revogr-data [role=gridcell], revogr-data .rgCell")?.textContent),
  isLoaded: () => true,
  scroller: () => document.querySelector("revogr-viewport-scroll.rgCol .vertical-inner"),
  change(edits) {
    for (const [row, column, text] of edits) source[row][`c${column}`] = text;
    void grid.refresh("rgRow");
  },
};
