import pytest

from cells.models import Sheet
from cells.services.access import create_sheet


@pytest.fixture
def sheet(db: None) -> Sheet:
    return create_sheet(None, "Prices", slug="prices")
