/** Tables that other programs put on the clipboard, read on a detached document: nothing of them loads or runs. */

import { layOut, parsePayload, PAYLOAD, styleOf } from "../domain/html_table.js";
import { STYLE, STYLE_SHEET, withStylesAside } from "../domain/styles_aside.js";

/** @typedef {import("../domain/html_table.js").Table} Table */
/** @typedef {import("../domain/html_table.js").Spanning} Spanning */
/** @typedef {Map<string, CSSStyleDeclaration[]>} Rules by a class with its dot, or the name of an element */

const MAX_HTML_CHARACTERS = 60_000_000; // a document of more would freeze the tab; its plain text is read instead
const TAGS = /** @type {Record<string, [property: string, value: string]>} */ ({
  B: ["font-weight", "bold"],
  STRONG: ["font-weight", "bold"],
  I: ["font-style", "italic"],
  EM: ["font-style", "italic"],
  S: ["text-decoration", "line-through"],
  DEL: ["text-decoration", "line-through"],
  STRIKE: ["text-decoration", "line-through"],
});

const SINGLE = "span[data-sheets-value], span[data-sheets-root]"; // how Google Sheets writes one cell, without a table

/**
 * Return the first table of an HTML text, or the one cell that it is; null if it has none.
 * @param {string} html
 * @returns {Table|null}
 */
export function readTable(html) {
  if (html.length > MAX_HTML_CHARACTERS || !/<table[\s>]|data-sheets-/i.test(html)) return null;
  const page = new DOMParser().parseFromString(withStylesAside(html), "text/html");
  const table = page.querySelector("table");
  const single = /** @type {HTMLElement|null} */ (page.querySelector(SINGLE));
  if (table === null) return single && layOut([[spanning(single, new Map())]]);
  const payload = table.getAttribute(PAYLOAD);
  const copied = payload === null ? null : parsePayload(payload);
  if (copied) return copied;
  const rules = rulesOf(page);
  return layOut([...table.rows].map((row) => [...row.cells].map((cell) => spanning(cell, rules))));
}

/**
 * Excel names looks by classes, in a style sheet of its own.
 * @param {Document} page
 * @returns {Rules}
 */
function rulesOf(page) {
  /** @type {Rules} */
  const rules = new Map();
  for (const { textContent } of page.querySelectorAll(`script[type="${STYLE_SHEET}"]`)) {
    const sheet = new CSSStyleSheet(); // belongs to no page: what it imports is not loaded
    sheet.replaceSync((textContent ?? "").replaceAll("<!--", "").replaceAll("-->", ""));
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSStyleRule)) continue;
      for (const selector of rule.selectorText.split(",")) {
        const name = selector.trim();
        if (!/^(\.[\w-]+|td|th)$/i.test(name)) continue;
        const known = rules.get(name) ?? [];
        known.push(rule.style);
        rules.set(name, known);
      }
    }
  }
  return rules;
}

/**
 * @param {HTMLElement} cell
 * @param {Rules} rules
 * @returns {Spanning}
 */
function spanning(cell, rules) {
  const whole = wholeOf(cell);
  const declarations = [...(rules.get(cell.localName) ?? []), ...[...cell.classList].flatMap((name) => rules.get(`.${name}`) ?? [])];
  for (const element of [cell, ...whole]) {
    if (element.hasAttribute(STYLE)) declarations.push(declared(element.getAttribute(STYLE) ?? ""));
  }
  declarations.reverse(); // the last one that says something counts
  const valueOf = (/** @type {string} */ property) => {
    const found = declarations.find((one) => one.getPropertyValue(property) !== "")?.getPropertyValue(property);
    const tag = whole.map(({ tagName }) => TAGS[tagName]).find((one) => one?.[0] === property);
    return tag?.[1] ?? found ?? attributeOf(cell, whole, property);
  };
  const [columns, rows] = cell instanceof HTMLTableCellElement ? [cell.colSpan, cell.rowSpan || Infinity] : [1, 1];
  return { text: textOf(cell), style: styleOf(valueOf), columns, rows };
}

/**
 * Return what the text of a style attribute declares; the element is on no page, so nothing is loaded.
 * @param {string} text
 */
function declared(text) {
  const { style } = document.createElement("i");
  style.cssText = text;
  return style;
}

/**
 * LibreOffice writes attributes of old.
 * @param {HTMLElement} cell
 * @param {HTMLElement[]} whole
 * @param {string} property
 */
function attributeOf(cell, whole, property) {
  if (property === "background-color") return cell.getAttribute("bgcolor") ?? "";
  if (property === "text-align") return cell.getAttribute("align")?.toLowerCase() ?? "";
  if (property === "color") return whole.map((one) => one.getAttribute("color") ?? "").find((color) => color !== "") ?? "";
  return "";
}

/**
 * Return the elements that hold all that a cell holds: <td><b><font>…
 * @param {HTMLElement} cell
 * @returns {HTMLElement[]}
 */
function wholeOf(cell) {
  /** @type {HTMLElement[]} */
  const found = [];
  for (let at = cell; ; ) {
    const only = [...at.childNodes].filter((node) => node.nodeType !== Node.TEXT_NODE || node.textContent?.trim());
    const [inner] = only;
    if (only.length !== 1 || !(inner instanceof HTMLElement) || inner.tagName === "BR") return found;
    found.push(inner);
    at = inner;
  }
}

/**
 * Return a cell's text as a browser would show it: white space runs together, <br> and blocks break lines.
 * @param {HTMLElement} cell
 */
function textOf(cell) {
  let text = "";
  /** @param {Node} node */
  const add = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const isKept = /** @type {HTMLElement} */ (node.parentElement).closest(`pre, [${STYLE}*="pre-wrap"]`) !== null;
      text += isKept ? node.textContent : (node.textContent ?? "").replace(/[ \t\r\n\f]+/g, " ");
      return;
    }
    if (!(node instanceof HTMLElement) || node.tagName === "STYLE" || node.tagName === "SCRIPT") return;
    if (node.tagName === "BR") text += "\n";
    const isBlock = node.tagName === "P" || node.tagName === "DIV";
    if (isBlock && text !== "" && !text.endsWith("\n")) text += "\n";
    node.childNodes.forEach(add);
    if (isBlock && !text.endsWith("\n")) text += "\n";
  };
  cell.childNodes.forEach(add);
  return text.replace(/ *\n */g, "\n").replaceAll("\u00a0", " ").trim();
}
