"""A page's modules as one file: what `collectstatic` makes for production of what developers write.

A page that asks for sixty small files waits for sixty answers, and each is compressed by itself.
Here each module becomes a function of its own, in the order in which they need each other, and
an import a look at what that function returned. So every module keeps its names to itself, as it
does in development, where the sources are served as they are.
"""

import posixpath
import re
from collections.abc import Callable, Collection, Iterator

# At the beginning of a line and with a semicolon, as the house writes them. A comment that names
# a type (`import("./x.js")`) is none of these.
IMPORT = re.compile(r"""^import\s+(\{[^}]*\}|[^"'{]*)\s*from\s*["'](\.[^"']+)["'];""", re.MULTILINE)
REEXPORT = re.compile(r"""^export\s+\{([^}]*)\}\s*from\s*["'](\.[^"']+)["'];""", re.MULTILINE)
EXPORT = re.compile(
    r"^export\s+((?:async\s+)?function\*?\s*|class\s+|const\s+)([A-Za-z_$][\w$]*)", re.MULTILINE
)
LATE_IMPORT = re.compile(r"""^[^*\n]*?\bimport\(["'](\.[^"']+)["']\)""", re.MULTILINE)
RENAMED = re.compile(r"\s+as\s+")
STRAY = re.compile(r"^(?:import|export)\b(?!\().*$", re.MULTILINE)

Read = Callable[[str], str]
"""The text of a module by its static name, like `cells/ui/grid.js`."""


class BundlingError(Exception):
    """A module is written in a way that cannot be bundled; the message says which, and how to."""


def imports_of(text: str, name: str) -> Iterator[str]:
    """Yield the static names of the modules that a module cannot start without."""
    for pattern in (IMPORT, REEXPORT):
        for match in pattern.finditer(text):
            yield _absolute(name, match[2])


def order_of(entry: str, read: Read, known: Collection[str] = ()) -> list[str]:
    """Return the static names of a module and of all that it needs, each after what it needs.

    What is in `known`, and only what that needs, is not among them.
    """
    order: list[str] = []
    path: list[str] = []

    def visit(name: str) -> None:
        if name in order or name in known:
            return
        if name in path:
            circle = " > ".join([*path[path.index(name) :], name])
            raise BundlingError(f"Modules import each other in a circle: {circle}. Break it.")
        path.append(name)
        for imported in imports_of(read(name), name):
            visit(imported)
        order.append(path.pop())

    visit(entry)
    return order


def bundle(entry: str, read: Read) -> dict[str, str]:
    """Return texts by static name: of a page's module with all it needs, and of each late one.

    A late module is one that `import("./x.js")` names: its text holds what it needs and the page's
    does not, and is handed the rest.

    Raises BundlingError for what is not written as the house writes modules.
    """
    first = order_of(entry, read)
    names = {name: f"m{place}" for place, name in enumerate(first)}
    late = sorted({_absolute(entry, url) for url in LATE_IMPORT.findall(read(entry))})
    texts = {name: _late_bundle(name, read, names) for name in late}
    handed = ",".join(names[name] for name in first[:-1])

    def hand_over(match: re.Match[str]) -> str:
        return f"{match[0]}.then((late)=>late.start({{{handed}}}))"

    parts = [_wrapped(name, read(name), names) for name in first[:-1]]
    for name in first[:-1]:
        if LATE_IMPORT.search(read(name)):
            raise BundlingError(f"{name}: Only {entry} may import late: it has all to hand over.")
    parts.append(LATE_IMPORT.sub(hand_over, _body(entry, read(entry), names)[0]))
    return {entry: "\n".join(parts), **texts}


def _late_bundle(entry: str, read: Read, known: dict[str, str]) -> str:
    """Return a module's text as a function of what the page already has: of `{m0, m1, …}`."""
    order = order_of(entry, read, known)
    names = {**known, **{name: f"l{place}" for place, name in enumerate(order)}}
    parts = [_wrapped(name, read(name), names) for name in order]
    given = ",".join(known.values())
    return (
        "let started;\n"
        f"const evaluate=({{{given}}})=>{{\n"
        + "\n".join(parts)
        + f"\nreturn {names[entry]};\n}};\n"
        "export const start=(given)=>(started??=evaluate(given));\n"
    )


def _wrapped(name: str, text: str, names: dict[str, str]) -> str:
    body, exports = _body(name, text, names)
    return f"const {names[name]}=(()=>{{\n{body}\nreturn {{{','.join(exports)}}};\n}})();"


def _body(name: str, text: str, names: dict[str, str]) -> tuple[str, list[str]]:
    """Return a module's text, imports as look-ups, and its exports as an object's properties."""
    exports: list[str] = []

    def look_up(match: re.Match[str]) -> str:
        asked, module = match[1].strip(), names[_absolute(name, match[2])]
        if not asked.startswith("{"):
            raise BundlingError(f"{name}: import names in braces, not `{match[0]}`.")
        return f"const {RENAMED.sub(':', asked)}={module};"

    def pass_on(match: re.Match[str]) -> str:
        module = names[_absolute(name, match[2])]
        for item in filter(None, map(str.strip, match[1].split(","))):
            source, _, target = item.partition(" as ")
            exports.append(f"{target or source}:{module}.{source}")
        return ""

    def keep(match: re.Match[str]) -> str:
        exports.append(match[2])
        return f"{match[1]}{match[2]}"

    body = EXPORT.sub(keep, REEXPORT.sub(pass_on, IMPORT.sub(look_up, text)))
    if stray := STRAY.search(body):
        raise BundlingError(
            f"{name}: `{stray[0]}` cannot be bundled; export functions, classes and constants "
            "where they are made, and import them by name."
        )
    return body, exports


def _absolute(name: str, url: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), url))
