"""What a newcomer finds: a sheet with a little content and, while trying out, an admin account."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, connection, transaction
from django.utils.crypto import get_random_string

from cells.domain.axes import AxisName
from cells.domain.operations import AddressedOperation, Operation, Resize, SetAddresses
from cells.models import AuthorKind, LinkRole, Sheet
from cells.services.access import create_sheet
from cells.services.commit import Author, Refused, Submission, commit
from cells.services.listing import DEMO_SLUG

ADMIN_NAME = "admin"
PASSWORD_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # noqa: S105 - none that look alike
PASSWORD_CHARACTERS = 16  # 80 bits

# One table with its headers in row 1, the key first: what streams append to and upsert.
PRICES = """\
Symbol|Bid|Ask|Day|Updated|Name|Note
EURUSD|1.0842|1.0844|0.12%|2026-11-20|Euro / US dollar|Streams may write here: the README shows how
GBPUSD|1.2671|1.2674|-0.08%|2026-11-20|Pound / US dollar|
USDJPY|149.36|149.39|0.31%|2026-11-20|US dollar / yen|Fixing at 15:00 Tokyo
USDCHF|0.8817|0.8820|-0.05%|2026-11-20|US dollar / franc|
AUDUSD|0.6584|0.6587|0.44%|2026-11-20|Australian / US dollar|
NZDUSD|0.5931|0.5935|0.21%|2026-11-20|New Zealand / US dollar|
USDCAD|1.3702|1.3705|-0.17%|2026-11-20|US dollar / Canadian|
EURCHF|0.9559|0.9563|0.07%|2026-11-20|Euro / franc|
XAUUSD|2668.40|2668.95|0.73%|2026-11-20|Gold, ounce|Ask before quoting above 500 oz
XAGUSD|31.12|31.15|1.02%|2026-11-20|Silver, ounce|
BRENT|74.21|74.25|-0.64%|2026-11-20|Brent crude, barrel|January delivery
WTI|70.02|70.06|-0.58%|2026-11-20|US crude, barrel|
COPPER|4.0915|4.0940|0.36%|2026-11-20|Copper, pound|Half the lot is sold; see order 1042"""

WIDTHS = {5: 180, 6: 300}  # pixels, by column id: the name and the note


@dataclass(frozen=True, slots=True)
class AdminAccount:
    """The admin's name; the password is None when only its owner knows it."""

    name: str
    password: str | None


def ensure_demo_sheet() -> bool:
    """Make the demo sheet, open to all as editors, unless it is there; True if it was made.

    A sheet that has a history is left as people left it, even empty; and where people have
    sheets of their own, the demo that they deleted does not come back with each deployment.
    """
    sheet = Sheet.objects.filter(slug=DEMO_SLUG).first()
    if sheet is None:
        if not settings.DEBUG and Sheet.objects.exists():
            return False
        # Two machines may be starting at once; the slug is unique, and either may fill the sheet.
        with contextlib.suppress(IntegrityError), transaction.atomic():
            create_sheet(None, "Demo: prices", slug=DEMO_SLUG, link_role=LinkRole.EDITOR)
    elif sheet.head > 0 or sheet.deleted_at is not None:
        return False
    author = Author(AuthorKind.API, "SheetSync", origin="prepare_demo")
    result = commit(
        [
            # The same ids everywhere: whoever comes second commits nothing.
            Submission(DEMO_SLUG, uuid5(NAMESPACE_URL, f"sheetsync:demo:{place}"), content, author)
            for place, content in enumerate(_content())
        ]
    )
    for outcome in result.outcomes:
        if isinstance(outcome, Refused):
            raise outcome.error
    return True


def ensure_admin() -> AdminAccount | None:
    """Make an administrator with a random password unless there is one; return how to sign in.

    On SQLite the password stays readable in a file beside the database, for its owner alone:
    whoever can read that file can change the database anyway, and a lost terminal locks nobody
    out. Once somebody changes the password, the file is worthless and no longer quoted.
    """
    users = get_user_model()._default_manager
    if get_user_model().USERNAME_FIELD != "username":
        return None  # what else an account needs only its project knows
    administrator = users.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if administrator is None:
        if users.filter(username=ADMIN_NAME).exists():
            return None
        password = get_random_string(PASSWORD_CHARACTERS, PASSWORD_LETTERS)
        users.create_superuser(ADMIN_NAME, password=password)
        _keep(password)
        return AdminAccount(ADMIN_NAME, password)
    return AdminAccount(administrator.get_username(), _kept_password_of(administrator))


def _content() -> list[Operation | AddressedOperation]:
    texts = tuple(
        (row, column, text)
        for row, line in enumerate(PRICES.splitlines())
        for column, text in enumerate(line.split("|"))
        if text
    )
    widths = (Resize(AxisName.COLUMNS, ((id_, 1),), size) for id_, size in WIDTHS.items())
    return [SetAddresses(texts), *widths]


def _password_file() -> Path | None:
    if connection.vendor != "sqlite":
        return None
    # With this name, whatever ignores, copies or deletes the database takes it along.
    return Path(f"{settings.DATABASES['default']['NAME']}-admin-password")


def _keep(password: str) -> None:
    file = _password_file()
    if file is not None:
        with contextlib.suppress(FileNotFoundError):
            file.unlink()
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(password)


def _kept_password_of(user: AbstractBaseUser) -> str | None:
    file = _password_file()
    if file is None or not file.is_file():
        return None
    password = file.read_text()
    return password if user.check_password(password) else None
