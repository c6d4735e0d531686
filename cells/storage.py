"""Static files as they are deployed: hashed names, a page's modules in one file, minified."""

import re
from collections.abc import Iterator
from typing import Any

import rjsmin
from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from cells.bundling import bundle

OWN = "cells/"  # other packages minify their files themselves, or do not want it
PAGE = "cells/sheet.js"  # whose modules are bundled; other pages have a few small ones
STYLE = "cells/sheet.css"  # what it imports comes with it
IMPORT = re.compile(r'^@import "\./([a-z_]+\.css)";$', re.MULTILINE)


class HashedModuleStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, the sheet's modules bundled, all of ours minified, imports followed.

    The sources stay what developers write and their browsers load; only the copies with hashed
    names, which production serves, are made of them.

    Imports are not followed through Django's `support_js_module_import_aggregation`: that also
    follows `import("./x.js")` in comments, by which JSDoc names types, in circles too, and the
    hashes of files in a circle never settle. Here comments are gone by then.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "*.js",
            (
                (
                    r"""(?P<matched>(?P<what>\b(?:import|export)\b[^"';=()]*)"""
                    r"""["'](?P<url>\.[^"']+)["']\s*;)""",
                    """%(what)s"%(url)s";""",
                ),
                (
                    r"""(?P<matched>\bimport\(["'](?P<url>\.[^"']+)["']\))""",
                    """import("%(url)s")""",
                ),
            ),
        ),
    )
    max_post_process_passes = 30  # one for each level of imports; Django's 5 are too few

    def post_process(
        self, paths: dict[str, tuple[Any, str]], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str, bool]]:
        """Hand the collected files on, our modules as they are served."""

        def read(name: str) -> str:
            storage, path = paths[name]
            with storage.open(path) as source:
                return str(source.read().decode())

        texts = bundle(PAGE, read) if PAGE in paths else {}
        served = {
            name: _Text(minified(texts.get(name) or read(name)))
            for name in paths
            if name.startswith(OWN) and name.endswith(".js")
        }
        if STYLE in paths:
            served[STYLE] = _Text(IMPORT.sub(lambda match: read(OWN + match[1]), read(STYLE)))
        yield from super().post_process(
            {name: (served.get(name, storage), path) for name, (storage, path) in paths.items()},
            dry_run,
            **options,
        )


class _Text:
    """A storage of one file, which is not on the disk."""

    def __init__(self, text: str) -> None:
        self._text = text

    def open(self, path: str) -> "ContentFile[bytes]":
        return ContentFile(self._text.encode(), name=path)


def minified(module: str) -> str:
    """Return a module without what only its readers need: comments, spaces and, on Linux, names."""
    plain = str(rjsmin.jsmin(module))
    try:
        import minify  # loads the runtime of another language: where files are collected only
    except ImportError:
        return plain  # there is none for this platform
    return str(minify.string("application/javascript", plain))
