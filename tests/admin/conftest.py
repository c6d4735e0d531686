import pytest
from django.contrib.auth.models import User

from cells.models import Sheet
from cells.services.access import create_sheet
from tests.admin.stored import write


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def budget(alice: User) -> Sheet:
    sheet = create_sheet(alice, "Budget", slug="budget")
    write("A1", "Rent", "B1", "1200", "C3", "<b>bold</b>")
    sheet.refresh_from_db()
    return sheet
