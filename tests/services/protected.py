"""Protect a range by what people write."""

from typing import Any

from cells.domain.protecting import parse_area
from cells.models import Protection, Sheet
from cells.services import protections
from cells.services.protections import layout_of


def protect(sheet: Sheet, range_: str, *editors: Any, **told: Any) -> Protection:
    area = parse_area(range_, layout_of(sheet))
    return protections.protect(sheet, area, editors, **told)
