"""A page's modules as one file: that it does what the modules do, and what cannot be bundled."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cells.bundling import BundlingError, bundle, order_of
from tests.servers.missing import missing_service

MODULES = {
    "page.js": """/** @typedef {import("./a.js").Thing} Thing a comment is no import */
import { count, first as one } from "./a.js";
import {
  later,
} from "./deep/b.js";
import { state } from "./state.js";

const late = await import("./deep/late.js");
const told = [one(), count(), later(), await late.tell(), count()];
console.log(JSON.stringify([...told, state.runs, late.same(state)]));
""",
    "a.js": """import { Counter } from "./deep/b.js";

const counter = new Counter();
export const first = () => "first";
export function count() {
  return counter.next();
}
""",
    "deep/b.js": """export class Counter {
  #count = 0;
  next() {
    return (this.#count += 1);
  }
}
export const later = () => "later";
""",
    "deep/late.js": """import { state } from "../state.js";
import { only } from "./only.js";

export { count as again } from "../a.js";
export { Counter } from "./b.js";
export async function tell() {
  return only();
}
export const same = (other) => other === state;
""",
    "deep/only.js": """import { count } from "../a.js";

export const only = () => `late ${count()}`;
""",
    "state.js": """export const state = { runs: 0 };
state.runs += 1;
""",
}


def run(folder: Path, modules: dict[str, str]) -> str:
    if shutil.which("node") is None:
        missing_service("Node.js", "install version 20 or newer from https://nodejs.org/.")
    for name, text in modules.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "package.json").write_text('{"type": "module"}')
    ended = subprocess.run(
        ["node", "page.js"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_bundle_does_what_its_modules_do(tmp_path: Path) -> None:
    texts = bundle("page.js", MODULES.__getitem__)
    assert set(texts) == {"page.js", "deep/late.js"}
    expected = run(tmp_path / "modules", MODULES)
    assert expected == '["first",1,"later","late 2",3,1,true]\n'
    assert run(tmp_path / "bundle", texts) == expected


def test_modules_come_after_what_they_need() -> None:
    order = order_of("page.js", MODULES.__getitem__)
    assert order == ["deep/b.js", "a.js", "state.js", "page.js"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.js", 'import { x } from "./page.js";', "page.js > a.js > page.js. Break it"),
        ("a.js", "export let count = 0;", "a.js: `export let count = 0;` cannot be bundled"),
        ("a.js", "export default 1;", "a.js: `export default 1;` cannot be bundled"),
        ("a.js", 'import * as b from "./deep/b.js";', "a.js: import names in braces"),
        ("a.js", 'export const go = () => import("./deep/late.js");', "Only page.js may"),
    ],
)
def test_what_cannot_be_bundled_says_so(name: str, text: str, said: str) -> None:
    modules = MODULES | {name: text}
    with pytest.raises(BundlingError) as raised:
        bundle("page.js", modules.__getitem__)
    assert said in str(raised.value)
