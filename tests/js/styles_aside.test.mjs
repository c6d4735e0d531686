import assert from "node:assert/strict";
import { test } from "node:test";

import { withStylesAside } from "../../cells/static/cells/domain/styles_aside.js";

const cases = {
  '<td style="color:red">x</td>': '<td data-style="color:red">x</td>',
  "<TD\nclass=a STYLE = 'a'/style=b>": "<TD\nclass=a data-style = 'a'/data-style=b>",
  "<i title=it's style=x>": "<i title=it's data-style=x>",
  '<i title="<b style=y>" style=x> style=z': '<i title="<b style=y>" data-style=x> style=z',
  "<style><!-- .a { color: red } --></style><td>": '<script type="text/css"><!-- .a { color: red } --></script><td>',
  "1 < 2 style=a <!-- b --> <styled style=c>": "1 < 2 style=a <!-- b --> <styled data-style=c>",
  "<p>kept</p><td title='without an end>": "<p>kept</p><td title=",
};

test("styles are data, and texts and other attributes stay as they are", () => {
  for (const [html, aside] of Object.entries(cases)) assert.equal(withStylesAside(html), aside);
});

test("a text of many beginnings without an end takes no longer than its length", () => {
  const started = performance.now();
  for (const beginning of ["<a ", '<a b="', "<a '"]) withStylesAside(beginning.repeat(300_000));
  assert.ok(performance.now() - started < 2_000);
});
