"""What the audit log says of feeds and publications: which of their settings changed."""

from cells.models import Feed, Publication
from cells.services.audit import Action, Actor, note

Facts = dict[str, object]

# What a person sets; all else is counted and held by the processes of the streams.
_FEED = (
    *("name", "is_enabled", "subscription", "write", "records", "filter", "event_time"),
    *("policy", "stale_after_seconds"),
)


def facts_of(of: Feed | Publication) -> Facts:
    """Return what is set of a feed, as the database has it with its columns, or a publication."""
    facts: Facts = {"sheet": of.sheet.slug}
    if isinstance(of, Publication):
        return {**facts, "topic": of.topic, "is_enabled": of.is_enabled}
    facts |= {name: getattr(of, name) for name in _FEED}
    columns = of.columns.order_by("pk").values_list("target", "source", "is_key")
    facts["columns"] = [f"{target}={source}{' (key)' * key}" for target, source, key in columns]
    return facts


def note_feed(feed: Feed, before: Facts | None, by: Actor) -> None:
    """Note that a feed was made, or what of it is no more what it was."""
    made_or_changed = Action.FEED_MADE, Action.FEED_CHANGED
    _note(feed, before, by, *made_or_changed, feed.name)


def note_publication(publication: Publication, before: Facts | None, by: Actor) -> None:
    """Note that a publication was made, or what of it is no more what it was."""
    made_or_changed = Action.PUBLICATION_MADE, Action.PUBLICATION_CHANGED
    _note(publication, before, by, *made_or_changed, publication.topic)


def note_deleted(of: Feed | Publication, by: Actor) -> None:
    """Note that a feed or a publication is deleted, and what it was; before it is."""
    is_feed = isinstance(of, Feed)
    action = Action.FEED_DELETED if is_feed else Action.PUBLICATION_DELETED
    note(action, by, of.sheet, id=of.pk, was=facts_of(of))


def _note(
    of: Feed | Publication,
    before: Facts | None,
    by: Actor,
    made: Action,
    changed: Action,
    name: str,
) -> None:
    now = facts_of(of)
    if before is None:
        note(made, by, of.sheet, id=of.pk, name=name, set=now)
        return
    differing = {key: [before[key], value] for key, value in now.items() if before[key] != value}
    if differing:
        note(changed, by, of.sheet, id=of.pk, name=name, changed=differing)
