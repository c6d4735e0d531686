"""The Django project: how SheetSync is deployed; no behaviour lives here."""

__version__ = "0.1.0"  # what errors, traces and metrics say of where they come from
