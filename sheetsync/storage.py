"""Static files with hashed names, the imports between ES modules rewritten too."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModuleStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, following `import … from "./x.js";` between the grid's modules."""

    support_js_module_import_aggregation = True
