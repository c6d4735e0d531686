import assert from "node:assert/strict";
import { test } from "node:test";

import { colorIn, formatTable, layOut, parsePayload, PAYLOAD, styleOf } from "../../cells/static/cells/domain/html_table.js";
import { cleanStyle } from "../../cells/static/cells/domain/styles.js";

const cell = (typed, style) => ({ typed, shown: typed, style: cleanStyle(style) });
const source = { id: "c1", at: [3, 2] };
const unescape = (text) => text.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const payloadOf = (html) => unescape(new RegExp(`${PAYLOAD}="([^"]*)"`).exec(html)[1]);
const span = (text, columns = 1, rows = 1, style = undefined) => ({ text, style, columns, rows });

test("what is copied here comes back exactly", () => {
  const texts = [["=A1&\"<b>\"", " two\nlines\t"], ["", "'&amp;"]];
  const styles = [[{ bold: true, format: "currency", currency: "EUR" }, ""], ["", { bold: true, format: "currency", currency: "EUR" }]];
  const html = formatTable(texts.map((line, down) => line.map((text, across) => cell(text, styles[down][across]))), source);
  assert.deepEqual(parsePayload(payloadOf(html)), { texts, styles, source });
});

test("others see text, with inline styles, and no markup of ours", () => {
  const html = formatTable([[cell("<img src=x>\n2", { bold: true, fill: "#ffff00", align: "right" }), { ...cell("0.1"), shown: "10 %" }]], source);
  assert.match(html, /<td style="font-weight:bold;background-color:#ffff00;text-align:right">&lt;img src=x&gt;<br>2<\/td><td>10 %<\/td>/);
  assert.doesNotMatch(html, /<img/);
});

test("a payload that is broken, or not ours, is none", () => {
  for (const text of ["", "{}", "[]", "null", '{"texts":[["a"]],"styles":[""],"looks":[[]]}', '{"texts":[[1]],"styles":[""],"looks":[[0]]}', '{"texts":[],"styles":[],"looks":[]}']) {
    assert.equal(parsePayload(text), null, text);
  }
  const odd = '{"texts":[["a"]],"styles":[{"color":"url(x)","bold":true}],"looks":[[0]]}';
  assert.deepEqual(parsePayload(odd)?.styles, [[{ bold: true }]]);
  for (const from of ['{"id":1,"at":[0,0]}', '{"id":"a","at":[0]}', '{"id":"a","at":[0,0.5]}', '"a"']) {
    assert.deepEqual(parsePayload(`{"texts":[["a"]],"styles":[""],"looks":[[0]],"source":${from}}`), { texts: [["a"]], styles: [[""]] }, from);
  }
});

test("merged cells hold their places, their text stands in the first", () => {
  const bold = cleanStyle({ bold: true });
  const table = layOut([[span("a", 2, 2, bold), span("b")], [span("c")], [span("d"), span("e"), span("f"), span("g")]]);
  assert.deepEqual(table?.texts, [["a", "", "b", ""], ["", "", "c", ""], ["d", "e", "f", "g"]]);
  assert.deepEqual(table?.styles[1], [bold, bold, null, null]);
});

test("a table that a span blows up is none", () => {
  assert.equal(layOut(Array.from({ length: 2_000 }, () => [span("a", 1e9)])), null);
  assert.equal(layOut([]), null);
  assert.deepEqual(layOut([[span("a", 1, Infinity)], [span("b")]])?.texts, [["a", ""], ["", "b"]]);
});

test("CSS of other programs becomes a style; the usual black on white does not", () => {
  const of = (declarations) => styleOf((property) => declarations[property] ?? "");
  assert.equal(of({ color: "rgb(0, 0, 0)", "background-color": "white", "font-weight": "400", "text-align": "general" }), undefined);
  assert.deepEqual(of({ "font-weight": "700", "font-style": "italic", "text-decoration-line": "underline line-through" }), { bold: true, italic: true, strike: true });
  assert.deepEqual(of({ color: "red", "background-color": "rgb(255, 242, 204)", "text-align": "center", "white-space": "normal" }), { color: "#ff0000", fill: "#fff2cc", align: "center", wrap: true });
});

test("a colour is one that is seen", () => {
  assert.deepEqual(["#ABC", "rgba(1, 2, 3, 0)", "transparent", "windowtext", "rgb(300 2 3)", "#12345678"].map(colorIn), ["#aabbcc", undefined, undefined, undefined, "#ff0203", undefined]);
});
