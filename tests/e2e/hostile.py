"""People who mean harm: their texts, where these are kept, and what must not come of them."""

import json

from playwright.sync_api import Page

from tests.e2e.conftest import OwnServer
from tests.e2e.people import PASSWORD
from tests.servers.process import ROOT

TEXTS: list[str] = json.loads((ROOT / "tests/vectors/hostile_texts.json").read_text())["texts"]
# What a person, a sheet, a feed, a token and a version are called.
NAME = (
    "</title></textarea>\"'><img src=//evil.example/ onerror=__ran=1>"
    "<script>__ran=2</script>{{7*7}}"
)
BOB = f"bob{NAME}"
FORMULAS = ['="<img src=x onerror=__ran=3>"&A1', '=HYPERLINK("javascript:__ran=4","click")']

_SEED = """
import json, uuid
from datetime import UTC, datetime
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from cells.domain.operations import SetAddresses
from cells.domain.protecting import Area
from cells.models import (
    AuthorKind, Feed, FeedColumn, LinkRole, ListenerBeat, Publication, Role, Scope
)
from cells.services.access import create_sheet
from cells.services.authors import Author
from cells.services.commit import Submission, commit
from cells.services.protections import protect
from cells.services.sharing import grant
from cells.services.shelf import delete_sheet
from cells.services.tokens import create_token
from cells.services.versions import name_version
from cells.streams.batches import commit_batch
from cells.streams.feeds import feeds_of
from cells.streams.messages import Message
from cells.streams.names import subscription_path

NAME, BOB, TEXTS, FORMULAS = {name!r}, {bob!r}, {texts!r}, {formulas!r}
alice = User.objects.create_superuser("alice", password={password!r}, last_name=NAME)
bob = User.objects.create_user(BOB, password={password!r}, first_name=BOB, email=NAME)
Group.objects.create(name=NAME)
sheet = create_sheet(alice, NAME, slug="hostile", link_role=LinkRole("editor"))
grant(sheet, bob, Role.EDITOR)
delete_sheet(create_sheet(alice, NAME, slug="gone"))

def write(kind, name, user_id, *cells):
    author = Author(AuthorKind(kind), name, user_id)
    commit([Submission("hostile", uuid.uuid4(), SetAddresses(tuple(cells)), author)])

write("api", NAME, alice.pk, *((row, 0, text) for row, text in enumerate(TEXTS)))
write("user", BOB, bob.pk, *((row, 1, text) for row, text in enumerate(FORMULAS)),
      (0, 3, NAME), (0, 4, "Bid"))
name_version(sheet, 1, NAME, Author(AuthorKind.USER, BOB, bob.pk))
create_token(alice, NAME, Scope("read"))
Publication.objects.create(sheet=sheet, topic=NAME, error=NAME)
now = datetime.now(UTC)
ListenerBeat.objects.create(
    name=NAME, subscription=NAME, started_at=now, beat_at=now, lag_seconds=0, trouble=NAME
)

protect(sheet, Area((98, 98), (25, 25)), [bob, Group.objects.get()], description=NAME)

path = subscription_path("hostile-sub")
feed = Feed.objects.create(sheet=sheet, name=NAME[:100], subscription="hostile-sub",
                           policy="propose", trouble=NAME)
FeedColumn.objects.create(feed=feed, target=NAME, source="$.sym", is_key=True)
FeedColumn.objects.create(feed=feed, target="Bid", source="$.bid")

def send(data, feeds):
    attributes = {{NAME: TEXTS[0], "origin": NAME, "edit_id": str(uuid.uuid4()) + NAME}}
    message = Message("projects/demo/topics/" + NAME, path, str(uuid.uuid4()), datetime.now(UTC),
                      data, attributes, NAME, 1, feeds)
    return commit_batch([message]).dead

feeds = feeds_of(path)
assert send(json.dumps({{"sym": TEXTS[1], "bid": "1"}}).encode(), feeds) == 0
row = len(TEXTS)
write("user", BOB, bob.pk, (row, 4, TEXTS[0]))
assert send(json.dumps({{"sym": TEXTS[1], "bid": TEXTS[2]}}).encode(), feeds) == 0
assert send(b"\\0<script>__ran=5</script>" + NAME.encode(), feeds) == 1
edits = [{{"cell": NAME, "value": NAME}}]
assert send(json.dumps({{"sheet": NAME, "edits": edits}}).encode(), ()) == 1

pages = []
for model, its in admin.site._registry.items():
    at = "admin:%s_%s" % (model._meta.app_label, model._meta.model_name)
    pages.append(reverse(at + "_changelist"))
    one = model._default_manager.first()
    if one is not None:
        LogEntry.objects.create(user=alice, object_id=str(one.pk), object_repr=NAME[:200],
            action_flag=CHANGE, change_message=NAME,
            content_type=ContentType.objects.get_for_model(model))
        pages += [reverse(at + what, args=[one.pk]) for what in ("_change", "_history")]
pages += [reverse("admin:cells_feed_try", args=[feed.pk]), reverse("admin:index"),
          reverse("admin:auth_user_delete", args=[bob.pk])]
print(json.dumps(pages))
"""


def seed(server: OwnServer) -> list[str]:
    """Keep the texts wherever a text can be kept; return the paths of the admin's pages on it."""
    values = {"name": NAME, "bob": BOB, "texts": TEXTS, "formulas": FORMULAS, "password": PASSWORD}
    paths: list[str] = json.loads(server.shell(_SEED.format(**values)))
    return paths


# What a text would have become: no page of ours has any of these.
_MADE_OF_TEXTS = """() => [...document.querySelectorAll(
  "[onerror], [onload], [onfocus], [onclick], [srcdoc], base, iframe, math," +
  "meta[http-equiv]:not([content='10'])," +
  "[src*='evil.example'], [href*='evil.example'], [action*='evil.example']," +
  "[href^='javascript:' i], [href^='data:text' i], style:not([nonce])"
  )].map((element) => element.outerHTML.slice(0, 120))
  .concat("__ran" in window ? [`ran: ${window.__ran}`] : [])"""


def look(page: Page, *texts: str) -> None:
    """Check that nothing has come of the texts on a page, and that these are read, to the letter.

    What it has asked of others, and what its policy forbade it, `own_context` knows.
    """
    assert page.evaluate(_MADE_OF_TEXTS) == [], page.url
    shown = shown_on(page)
    for text in texts:
        assert text in shown, f"{page.url} does not show {text}"


def shown_on(page: Page) -> str:
    """Return all that can be read on a page, in its fields and in its title too."""
    text: str = page.evaluate(
        """() => [...document.querySelectorAll("input, textarea")].map(({value}) => value)
          .concat(document.body.textContent, document.title).join("\\n")"""
    )
    return text
