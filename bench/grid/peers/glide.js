// Glide Data Grid as its documentation sets it up: a callback for contents, cells told one by one when they change.

import "@glideapps/glide-data-grid/dist/index.css";
import { DataEditor, GridCellKind } from "@glideapps/glide-data-grid";
import { createElement, useCallback, useRef } from "react";
import { createRoot } from "react-dom/client";

import { columns, rows, textAt } from "../contents.js";

const source = Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => textAt(row, column)));
const headers = Array.from({ length: columns }, (_, column) => ({ title: `Column ${column + 1}`, id: `c${column}`, width: 112 }));
let editor = null;
let isPainted = false;

function App() {
  const getCellContent = useCallback(([column, row]) => {
    const text = source[row][column];
    return { kind: GridCellKind.Text, data: text, displayData: text, allowOverlay: true };
  }, []);
  const drawCell = useCallback((_, draw) => {
    isPainted = true;
    draw();
  }, []);
  const ref = useRef(null);
  return createElement(DataEditor, {
    ref: (made) => (editor = ref.current = made),
    columns: headers,
    rows,
    getCellContent,
    drawCell,
    rowMarkers: "number",
    rowHeight: 25,
    width: "100%",
    height: "100%",
  });
}

createRoot(document.getElementById("host")).render(createElement(App));

window.subject = {
  isPainted: () => isPainted,
  isLoaded: () => true,
  scroller: () => document.querySelector(".dvn-scroller"),
  change(edits) {
    for (const [row, column, text] of edits) source[row][column] = text;
    editor.updateCells(edits.map(([row, column]) => ({ cell: [column, row] })));
  },
};
