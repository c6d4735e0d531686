"""The Django project: how SheetSync is deployed; no behaviour lives here."""
