// A server in the page: speaks the wire contract for one sheet full of text, so that our own page can be measured as it
// is served, with nothing else on the machine's cores. Rows in view first, then the whole sheet, as the real one does.

(() => {
  const { rows, columns } = window.bench;
  const CELLS_PER_FRAME = 5_000;
  const textAt = (row, column) =>
    column % 3 === 0 ? `Item ${row + 1}.${column + 1}` : ((row * 31 + column * 17) % 100_000 / 100).toFixed(2);
  let revision = 1;
  let socket = null;

  function cellsOf(first, count) {
    const cells = [];
    for (let row = first; row < Math.min(rows, first + count); row += 1) {
      for (let column = 0; column < columns; column += 1) cells.push([row, column, textAt(row, column)]);
    }
    return cells;
  }

  window.WebSocket = class extends EventTarget {
    static OPEN = 1;
    readyState = 0;

    constructor() {
      super();
      socket = this;
      setTimeout(() => {
        this.readyState = 1;
        this.onopen?.({});
      });
    }

    send(text) {
      const frame = JSON.parse(text);
      if (frame.type === "sheet.open") void this.open(frame);
      if (frame.type === "rows.load") this.load(frame.rows);
    }

    close() {}

    tell(frame) {
      this.onmessage?.({ data: JSON.stringify(frame) });
    }

    load(runs) {
      this.tell({ type: "rows.loaded", at: revision, rows: runs, cells: runs.flatMap(([first, count]) => cellsOf(first, count)) });
    }

    async open({ client_id, view }) {
      this.tell({
        type: "sheet.opened", protocol: 1, sheet: { slug: "bench", title: "Bench" }, role: "editor",
        you: { client_id, name: "Bench", color: "#1a73e8" }, head: revision, filled: rows * columns,
        rows: [[0, rows]], columns: [[0, columns]], row_sizes: [], column_sizes: [],
      });
      if (view) this.load([[view.rows[0], Math.min(view.rows[1], rows)]]);
      const step = Math.max(1, Math.floor(CELLS_PER_FRAME / columns));
      for (let row = 0; row < rows; row += step) {
        await new Promise((resolve) => setTimeout(resolve));
        const isLast = row + step >= rows;
        this.tell({ type: "cells.changed", after: 0, through: revision, changes: [[null, cellsOf(row, step)]], ...(isLast ? {} : { more: true }) });
      }
    }
  };

  window.subject = {
    isPainted: () => [...document.querySelectorAll("#grid .cell")].some((cell) => cell.textContent),
    isLoaded: () => document.querySelector("#workbench[data-loaded=true]") !== null,
    scroller: () => document.querySelector("#grid .scroller"),
    change(edits) {
      socket.tell({ type: "cells.changed", after: revision, through: (revision += 1), changes: [["somebody", edits]] });
    },
  };
})();
