"""The cells on a canvas, while the view leaps: they look as they do at rest."""

import base64
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.e2e.grid_page import GridPage, wait_for
from tests.e2e.test_looks import freeze, scroll

pytestmark = pytest.mark.xdist_group("flight")  # they share a server and a browser

Open = Callable[..., GridPage]

_LOOKS = """<table><tr>
<td style="font-weight: bold">Bold</td><td style="font-style: italic">Italic</td>
<td style="text-decoration: line-through">Struck</td><td style="color: #c00000">Red</td>
<td style="background-color: #ffe680">Filled</td><td style="background-color: #204060">Dark</td>
</tr><tr>
<td>A text that runs over its neighbours</td><td></td><td></td><td>stops it, and is cut itself</td>
<td style="text-align: right">right</td><td style="text-align: center">middle</td>
</tr><tr>
<td>1234.5</td><td>TRUE</td><td>שלום</td><td>two<br>lines</td>
<td style="text-align: right">too long for where it stands</td>
<td style="text-align: center; font-weight: bold">12345678901234567890</td>
</tr></table>"""

# In one line: see `watch` of grid_page.
_COPY = """async (text) => {
  const html = text.replaceAll("\\n", "");
  const of = (type) => new Blob([html], { type });
  const item = { "text/html": of("text/html"), "text/plain": of("text/plain") };
  await navigator.clipboard.write([new ClipboardItem(item)]);
}"""

# Leaps until the view is in flight where it began, and returns what the canvas shows; null if it
# never is: on a machine that paints a frame in more than a tenth of a second it is at rest.
_FLY = """async () => {
  const scroller = document.querySelector(".scroller");
  const frame = () => new Promise(requestAnimationFrame);
  for (let tries = 0; tries < 300; tries += 1) {
    scroller.scrollTop = 9_000;
    await frame();
    await frame();
    scroller.scrollTop = 0;
    await frame();
    await frame();
    if (!document.querySelector(".body.is-flying")) continue;
    const canvas = document.querySelector(".flight");
    return [canvas.width, canvas.height, canvas.toDataURL()];
  }
  return null;
}"""

# The share of points that are clearly lighter or darker in one picture than in the other.
_DIFFERENCE = """async (sources) => {
  const [one, other] = await Promise.all(sources.map(async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height).data;
  }));
  if (one.length !== other.length) return 1;
  let different = 0;
  for (let at = 0; at < one.length; at += 4) {
    const distance = Math.abs(one[at] - other[at]) + Math.abs(one[at + 1] - other[at + 1]);
    if (distance > 120) different += 1;
  }
  return (different * 4) / one.length;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_cells_look_in_flight_as_they_do_at_rest(
    open_own: Open, own_context: Callable[..., BrowserContext], scheme: str
) -> None:
    grid = open_own(own_context(color_scheme=scheme))
    grid.page.evaluate(_COPY, _LOOKS)
    grid.go_to("B2")
    grid.press("Control+v")
    grid.expect_cell("B2", "Bold")
    freeze(grid, "A1", "Freeze up to row 1", "Freeze up to column A")
    grid.go_to("Z900")  # out of sight: the selection is no part of it
    scroll(grid, 0, 0)
    grid.expect_cell("B2", "Bold")
    grid.expect_saved()
    width, height, flown = grid.page.evaluate(_FLY)
    wait_for(grid.page, "!document.querySelector('.body.is-flying')")
    grid.expect_cell("B2", "Bold")
    box = grid.page.locator(".body").bounding_box()
    assert box
    assert (width, height) == (box["width"], box["height"])
    rested = grid.page.locator(".body").screenshot()
    source = f"data:image/png;base64,{base64.b64encode(rested).decode()}"
    plain = own_context().new_page()  # the sheet's own policy takes no picture from a text
    assert plain.evaluate(_DIFFERENCE, [flown, source]) < 0.001
    # That it could be otherwise: the same cells, elsewhere.
    scroll(grid, 0, 25)
    grid.expect_cell("B3", "A text that runs over its neighbours")
    moved = grid.page.locator(".body").screenshot()
    source = f"data:image/png;base64,{base64.b64encode(moved).decode()}"
    assert plain.evaluate(_DIFFERENCE, [flown, source]) > 0.004
