"""Static files with hashed names, the imports between ES modules rewritten too."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModuleStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, following `import … from "./x.js";` between the grid's modules.

    Not through Django's `support_js_module_import_aggregation`: that also follows
    `import("./x.js")`, by which JSDoc names types, in circles too, and the hashes of files in a
    circle never settle.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "*.js",
            (
                (
                    r"""(?P<matched>(?P<what>\b(?:import|export)\s[^"';=()]*)"""
                    r"""["'](?P<url>\.[^"']+)["']\s*;)""",
                    """%(what)s"%(url)s";""",
                ),
            ),
        ),
    )
    max_post_process_passes = 30  # one for each level of imports; Django's 5 are too few
