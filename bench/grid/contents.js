// What every grid shows: the same texts, so many rows and columns of them. `rows` and `columns` are the address's.

const asked = new URLSearchParams(location.search);
export const rows = Number(asked.get("rows"));
export const columns = Number(asked.get("columns"));

export function textAt(row, column) {
  return column % 3 === 0 ? `Item ${row + 1}.${column + 1}` : ((row * 31 + column * 17) % 100_000 / 100).toFixed(2);
}
