"""Static files as they are deployed: hashed names, modules without what only their readers need."""

from collections.abc import Iterator
from typing import Any

import rjsmin
from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

OWN = "cells/"  # other packages minify their files themselves, or do not want it


class HashedModuleStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, with our modules minified and the imports between them followed.

    The sources stay what developers write and their browsers load; only the copies with hashed
    names, which production serves, lose comments and spaces. Each module stays a file of its own:
    nothing is bundled, nothing renamed.

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
        served = {
            name: (_Minifying(storage) if _is_own_module(name) else storage, path)
            for name, (storage, path) in paths.items()
        }
        yield from super().post_process(served, dry_run, **options)


def _is_own_module(name: str) -> bool:
    return name.startswith(OWN) and name.endswith(".js")


class _Minifying:
    """A storage of sources, opened minified."""

    def __init__(self, sources: Any) -> None:
        self._sources = sources

    def open(self, path: str) -> "ContentFile[bytes]":
        with self._sources.open(path) as source:
            return ContentFile(minified(source.read().decode()).encode(), name=path)


def minified(module: str) -> str:
    """Return a module without comments and without the spaces that only its readers need."""
    return str(rjsmin.jsmin(module))
