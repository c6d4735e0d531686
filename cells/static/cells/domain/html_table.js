/** Tables as HTML on the clipboard: how they are written, what their CSS says of looks, how merged cells lie in a grid. */

import { cleanStyle } from "./styles.js";

export const PAYLOAD = "data-sheetsync"; // the attribute that brings back exactly what was copied here

const MAX_CELLS = 1_000_000; // what a hostile colspan may blow a table up to
const MAX_SPAN = 1_000; // HTML's own limit of a colspan
const MAX_DISTINCT = 20_000; // styles that a payload may name
const BOLD_WEIGHT = 600;

/** @typedef {import("./styles.js").Style} Style */
/** @typedef {{text: string, style: Style|undefined, columns: number, rows: number}} Spanning a cell over so many columns and rows */
/** @typedef {{id: string, at: [row: number, column: number]}} Source which copy it is, and from where on its sheet */
/** @typedef {{texts: string[][], styles: (Style|""|null)[][], source?: Source}} Table null: the source says nothing of the looks */
/** @typedef {{typed: string, shown: string, style: Style|undefined}} Copied */

/** @type {Record<string, string>} */
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "<br>" };

/** @type {Record<string, string>} the few names that spreadsheets write */
const NAMED_COLORS = {
  red: "#ff0000", green: "#008000", blue: "#0000ff", yellow: "#ffff00", orange: "#ffa500", purple: "#800080", gray: "#808080", grey: "#808080",
  lime: "#00ff00", aqua: "#00ffff", cyan: "#00ffff", fuchsia: "#ff00ff", magenta: "#ff00ff", maroon: "#800000", navy: "#000080", olive: "#808000",
  silver: "#c0c0c0", teal: "#008080", white: "#ffffff", black: "#000000",
};

/**
 * @param {readonly (readonly Copied[])[]} lines
 * @param {Source} source
 * @returns {string}
 */
export function formatTable(lines, source) {
  /** @type {Map<Style|undefined, number>} */
  const places = new Map([[undefined, 0]]);
  const looks = lines.map((line) =>
    line.map(({ style }) => {
      if (!places.has(style)) places.set(style, places.size);
      return /** @type {number} */ (places.get(style));
    }),
  );
  const payload = { texts: lines.map((line) => line.map(({ typed }) => typed)), styles: [...places.keys()].map((style) => style ?? ""), looks, source };
  const rows = lines.map((line) => `<tr>${line.map(formatCell).join("")}</tr>`);
  return `<table ${PAYLOAD}="${escapeAttribute(JSON.stringify(payload))}"><tbody>${rows.join("")}</tbody></table>`;
}

/**
 * Return what was copied here, exactly; null if the payload is none, or broken.
 * @param {string} payload
 * @returns {Table|null}
 */
export function parsePayload(payload) {
  try {
    const { texts, styles, looks, source } = JSON.parse(payload);
    if (styles.length > MAX_DISTINCT || texts.length === 0) return null;
    const clean = styles.map((/** @type {unknown} */ style) => cleanStyle(style) ?? "");
    const isSound = texts.every(
      (/** @type {unknown[]} */ line, /** @type {number} */ down) =>
        line.length > 0 && line.length === looks[down].length && line.every((text) => typeof text === "string"),
    );
    if (!isSound) return null;
    const table = { texts, styles: looks.map((/** @type {number[]} */ line) => line.map((place) => clean[place] ?? "")) };
    const isPlaced = typeof source?.id === "string" && Array.isArray(source.at) && source.at.length === 2 && source.at.every(Number.isInteger);
    return isPlaced ? { ...table, source: { id: source.id, at: source.at } } : table;
  } catch {
    return null; // another program's, or another release's
  }
}

/**
 * Put cells that span rows and columns into a grid: the text stands in the first place, the looks in all. Null if there is
 * nothing, or too much.
 * @param {readonly (readonly Spanning[])[]} lines
 * @returns {Table|null}
 */
export function layOut(lines) {
  /** @type {string[][]} */
  const texts = lines.map(() => []);
  /** @type {(Style|""|null)[][]} */
  const styles = lines.map(() => []);
  let count = 0;
  for (const [down, line] of lines.entries()) {
    let column = 0;
    for (const { text, style, columns, rows } of line) {
      while (texts[down][column] !== undefined) column += 1;
      const width = Math.max(1, Math.min(MAX_SPAN, columns));
      const last = Math.min(lines.length, down + Math.max(1, rows));
      count += width * (last - down);
      if (count > MAX_CELLS) return null;
      for (let row = down; row < last; row += 1) {
        for (let across = column; across < column + width; across += 1) {
          texts[row][across] = row === down && across === column ? text : "";
          styles[row][across] = style ?? null;
        }
      }
      column += width;
    }
  }
  const width = texts.reduce((widest, line) => Math.max(widest, line.length), 0);
  if (width === 0 || width * texts.length > MAX_CELLS) return null;
  for (const [down, line] of texts.entries()) {
    for (let column = 0; column < width; column += 1) {
      line[column] ??= "";
      styles[down][column] ??= null;
    }
  }
  return { texts, styles };
}

/**
 * Return what declarations of CSS say of looks; black on white, the usual, says nothing.
 * @param {(property: string) => string} valueOf a property's value, "" for none
 * @returns {Style|undefined}
 */
export function styleOf(valueOf) {
  const color = colorIn(valueOf("color"));
  const fill = colorIn(valueOf("background-color"));
  const decoration = `${valueOf("text-decoration")} ${valueOf("text-decoration-line")}`;
  const align = valueOf("text-align").trim();
  return cleanStyle({
    bold: isBold(valueOf("font-weight")) || undefined,
    italic: /italic|oblique/.test(valueOf("font-style")) || undefined,
    strike: decoration.includes("line-through") || undefined,
    color: color === "#000000" ? undefined : color,
    fill: fill === "#ffffff" ? undefined : fill,
    align: align === "end" ? "right" : align,
    wrap: ["normal", "pre-wrap", "break-spaces"].includes(valueOf("white-space")) || undefined,
  });
}

/**
 * Return a colour as styles have it; undefined for none, or one that shows what is below.
 * @param {string} value of CSS
 * @returns {string|undefined}
 */
export function colorIn(value) {
  const text = value.trim().toLowerCase();
  if (/^#[0-9a-f]{6}$/.test(text)) return text;
  if (/^#[0-9a-f]{3}$/.test(text)) return `#${[...text.slice(1)].map((digit) => digit + digit).join("")}`;
  const found = /^rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*(?:[,/]\s*([\d.]+%?)\s*)?\)$/.exec(text);
  if (found === null) return NAMED_COLORS[text];
  const [, red, green, blue, alpha = "1"] = found;
  if (Number.parseFloat(alpha) === 0) return undefined;
  return `#${[red, green, blue].map((part) => Math.min(255, Number(part)).toString(16).padStart(2, "0")).join("")}`;
}

/** @param {string} weight */
function isBold(weight) {
  return weight.trim() === "bold" || weight.trim() === "bolder" || Number(weight) >= BOLD_WEIGHT;
}

/** @param {Copied} cell */
function formatCell({ shown, style }) {
  const declarations = style === undefined ? "" : formatStyle(style);
  const text = shown.replace(/[&<>"\n]/g, (character) => ESCAPES[character]);
  return declarations ? `<td style="${declarations}">${text}</td>` : `<td>${text}</td>`;
}

/** @param {Style} style */
function formatStyle({ bold, italic, strike, color, fill, align, wrap }) {
  const declarations = [
    bold && "font-weight:bold",
    italic && "font-style:italic",
    strike && "text-decoration:line-through",
    color && `color:${color}`,
    fill && `background-color:${fill}`,
    align && `text-align:${align}`,
    wrap && "white-space:pre-wrap",
  ];
  return declarations.filter(Boolean).join(";");
}

/** @param {string} text */
function escapeAttribute(text) {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
