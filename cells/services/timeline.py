"""The time line: a sheet's log as people remember it, by who was at work and when they paused."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from cells.models import AuthorKind, NamedVersion, Revision, Sheet
from cells.services.authors import source_of
from cells.services.past_states import reach_of

PAUSE = timedelta(minutes=5)  # after it, somebody comes back
TOGETHER = timedelta(minutes=1)  # between the edits of people who work at the same time
MAX_SPAN = timedelta(hours=1)  # a stream never pauses
ENTRIES_PER_PAGE = 30
STEPS_PER_PAGE = 200
LINES_PER_PAGE = 5_000  # narrow ones: no operation is read


class Who(NamedTuple):
    """An author of an entry; a file that somebody imported is a kind of its own."""

    kind: str
    name: str
    user_id: int | None


@dataclass(slots=True)
class Entry:
    """Revisions `first` to `last`, by whom and from when to when."""

    first: int
    last: int
    started_at: datetime
    ended_at: datetime
    authors: list[Who]
    operations: int = 1
    name: str | None = None


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Entries, the newest first; `before` is what to ask for next, None at the end.

    `oldest` is the oldest revision whose state the log can tell.
    """

    entries: list[Entry]
    before: int | None
    oldest: int


class _Line(NamedTuple):
    number: int
    at: datetime
    who: Who


class _Names(NamedTuple):
    """Which revisions have a name, in order, and which."""

    numbers: Sequence[int]
    names: Mapping[int, str]


def read_timeline(sheet: Sheet, before: int | None = None) -> TimelinePage:
    """Return a page of the time line: the newest entries, or those below a revision.

    What a calculator stored is nobody's work, and left out. An entry that goes on beyond a page is
    two. A version that has a name ends its entry; those whose log has been pruned come last.
    """
    reach = reach_of(sheet.pk, sheet.head)
    versions = list(NamedVersion.objects.filter(sheet=sheet).defer("data").order_by("revision"))
    named = _Names(
        [version.revision for version in versions],
        {version.revision: version.name for version in versions},
    )
    entries: list[Entry] = []
    for read, line in enumerate(_lines(sheet, reach, before)):
        entry = _entry_of(entries, line, named)
        if read == LINES_PER_PAGE or (entry is None and len(entries) == ENTRIES_PER_PAGE):
            return TimelinePage(entries, entries[-1].first, reach)
        if entry is None:
            entries.append(_begun(entries, line, named, before or sheet.head + 1))
        else:
            _add(entry, line)
    entries += [_kept(version) for version in reversed(versions) if version.revision <= reach]
    return TimelinePage(entries, None, reach)


def read_steps(sheet: Sheet, first: int, last: int) -> TimelinePage:
    """Return the edits from revision `first` to `last` one by one, each an entry, the newest first.

    A page holds 200; where there are more, `before` is the oldest one on it.
    """
    reach = reach_of(sheet.pk, sheet.head)
    named = dict(
        NamedVersion.objects.filter(sheet=sheet, revision__gte=first, revision__lte=last)
        .order_by()
        .values_list("revision", "name")
    )
    lines = _lines(sheet, max(reach, first - 1), last + 1)
    entries = [
        Entry(number, number, at, at, [who], name=named.get(number))
        for number, at, who in islice(lines, STEPS_PER_PAGE + 1)
    ]
    has_more = len(entries) > STEPS_PER_PAGE
    entries = entries[:STEPS_PER_PAGE]
    return TimelinePage(entries, entries[-1].first if has_more else None, reach)


def read_authors(sheet_id: int, numbers: Collection[int]) -> dict[int, Who]:
    """Return who made some revisions."""
    log = Revision.objects.filter(sheet_id=sheet_id, number__in=numbers)
    found = log.values_list("number", "origin", "author_kind", "author_name", "user_id")
    return {
        number: Who(source_of(kind, origin), name, user_id)
        for number, origin, kind, name, user_id in found
    }


def _lines(sheet: Sheet, reach: int, before: int | None) -> Iterator[_Line]:
    log = Revision.objects.filter(sheet=sheet, number__gt=reach)
    lines = log.exclude(author_kind=AuthorKind.CALCULATOR)
    if before is not None:
        lines = lines.filter(number__lt=before)
    fields = ("number", "committed_at", "origin", "author_kind", "author_name", "user_id")
    found = lines.order_by("-number").values_list(*fields)[: LINES_PER_PAGE + 1]
    for number, at, origin, kind, *who in found:
        yield _Line(number, at, Who(source_of(kind, origin), *who))


def _entry_of(entries: list[Entry], line: _Line, named: _Names) -> Entry | None:
    """Return the entry that an older line belongs to; None if it begins another one."""
    if not entries:
        return None
    entry = entries[-1]
    pause = PAUSE if line.who in entry.authors else TOGETHER
    if entry.started_at - line.at >= pause or entry.ended_at - line.at >= MAX_SPAN:
        return None
    return entry if _named_between(named, line.number, entry.first) is None else None


def _add(entry: Entry, line: _Line) -> None:
    entry.first, entry.started_at = line.number, min(line.at, entry.started_at)
    entry.operations += 1
    if line.who not in entry.authors:
        entry.authors.append(line.who)


def _begun(entries: list[Entry], line: _Line, named: _Names, before: int) -> Entry:
    found = _named_between(named, line.number, entries[-1].first if entries else before)
    last, name = (line.number, None) if found is None else (found, named.names[found])
    return Entry(line.number, last, line.at, line.at, [line.who], name=name)


def _named_between(named: _Names, first: int, stop: int) -> int | None:
    """Return the newest revision that has a name, from `first` up to, not including, `stop`."""
    place = bisect_left(named.numbers, stop)
    found = named.numbers[place - 1] if place else None
    return found if found is not None and found >= first else None


def _kept(version: NamedVersion) -> Entry:
    at = version.committed_at or version.named_at
    number = version.revision
    return Entry(number, number, at, at, [], operations=0, name=version.name)
