"""Which faults come when: drawn from a seed, so that what was seen once can be seen again."""

import random
from dataclasses import dataclass
from enum import StrEnum

WEB_SERVERS = ("web-1", "web-2")
LISTENERS = ("listener-1", "listener-2")

MAX_SECONDS = 10.0  # of one fault
MEAN_GAP_SECONDS = 0.6  # between the beginnings of two
# What a killed listener held comes again when its lease ends, 10 s later; so that the end of a
# short run need not wait for that, listeners are hurt in its first part.
LISTENERS_UNTIL = 0.4


class Mode(StrEnum):
    """How SheetSync is deployed."""

    REDIS = "redis"  # PostgreSQL and Redis
    POSTGRESQL = "postgresql"  # PostgreSQL alone: the tail heals
    SQLITE = "sqlite"  # embedded: `runserver` and a separate listener on one file


class Kind(StrEnum):
    """What can happen."""

    KILL = "kill"  # SIGKILL; started again afterwards
    RESTART = "restart"  # asked to end; started again afterwards
    FREEZE = "freeze"  # SIGSTOP, then SIGCONT
    CUT = "cut"  # RST on every connection of a link
    DELAY = "delay"  # every chunk comes late
    STALL = "stall"  # nothing passes, nothing is closed
    REFUSE = "refuse"  # RST, and new connections are refused
    LOSE_ANSWERS = "lose_answers"  # what is asked arrives, the answers do not; then RST
    DISK_FULL = "disk_full"
    RELOAD = "reload"  # a client begins anew, with the edits that its journal kept
    OFFLINE = "offline"  # a client loses its network and goes on editing


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: it begins `at` seconds after the start and is over `seconds` later."""

    at: float
    kind: Kind
    target: str
    seconds: float = 0.0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.2f} s" if self.seconds else ""
        return f"{self.at:6.2f} s  {self.kind} {self.target}{lasting}"


@dataclass(frozen=True, slots=True)
class _Sort:
    """A sort of fault: how often, on what, and for how long."""

    kind: Kind
    weight: float
    targets: tuple[str, ...]
    seconds: tuple[float, float] = (0.0, 0.0)


def make_schedule(seed: int, mode: Mode, seconds: float, clients: int) -> list[Fault]:
    """Return the faults of a run, in order; all of them are over when `seconds` are.

    Nothing is hurt twice at the same time; different things are.
    """
    draw = random.Random(f"{seed} {mode} {seconds:g} {clients}")
    sorts = _sorts(mode, clients)
    faults: list[Fault] = []
    busy: dict[str, float] = {}
    at = 0.5
    while at < seconds - 0.5:
        sort = draw.choices(sorts, [sort.weight for sort in sorts])[0]
        target = draw.choice(sort.targets)
        shortest, longest = sort.seconds
        longest = min(longest, seconds / 2, seconds - at)
        # Squared, so that most are short.
        lasting = round(shortest + max(0.0, longest - shortest) * draw.random() ** 2, 2)
        gap = draw.uniform(0, 2 * MEAN_GAP_SECONDS)
        touched = _touched(sort.kind, target, mode)
        is_late = target.startswith("listener") and at > seconds * LISTENERS_UNTIL
        if lasting <= longest and not is_late and all(busy.get(one, 0) < at for one in touched):
            faults.append(Fault(round(at, 2), sort.kind, target, lasting))
            for one in touched:
                busy[one] = at + lasting + (1.0 if sort.kind in (Kind.KILL, Kind.RESTART) else 0.1)
            at += gap
        else:
            at += 0.05
    return faults


def _touched(kind: Kind, target: str, mode: Mode) -> tuple[str, ...]:
    """Return what no other fault may touch meanwhile."""
    process, _, link = target.partition("/")
    if kind is Kind.DISK_FULL and mode is not Mode.SQLITE:
        return ("disk", "postgresql")  # it may end of it, and is started again afterwards
    return (target,) if link else (process,)


def _sorts(mode: Mode, clients: int) -> list[_Sort]:
    webs = WEB_SERVERS if mode is not Mode.SQLITE else WEB_SERVERS[:1]
    listeners = LISTENERS if mode is not Mode.SQLITE else LISTENERS[:1]
    services = {
        Mode.REDIS: ("postgresql", "redis"),
        Mode.POSTGRESQL: ("postgresql",),
        Mode.SQLITE: (),
    }[mode]
    people = tuple(f"client-{number}" for number in range(1, clients + 1))
    to_web = tuple(f"{web}/clients" for web in webs)
    links = (
        *to_web,
        *(f"{listener}/pubsub" for listener in listeners),
        *(f"{process}/{service}" for process in (*webs, *listeners) for service in services),
    )
    processes = (*webs, *listeners)
    return [
        _Sort(Kind.KILL, 2, processes, (0.1, 4)),
        _Sort(Kind.RESTART, 2, (*processes, *services), (0.0, 1)),
        _Sort(Kind.FREEZE, 1.5, (*processes, *services), (0.2, MAX_SECONDS)),
        *([_Sort(Kind.KILL, 1, services, (0.1, 4))] if services else []),
        _Sort(Kind.CUT, 2, links),
        _Sort(Kind.DELAY, 1, links, (0.5, 4)),
        _Sort(Kind.STALL, 1, links, (0.2, MAX_SECONDS)),
        _Sort(Kind.REFUSE, 1, links, (0.2, 4)),
        _Sort(Kind.LOSE_ANSWERS, 1, to_web, (0.2, 2)),
        _Sort(Kind.DISK_FULL, 1, ("disk",), (0.5, 4)),
        _Sort(Kind.RELOAD, 1.5, people),
        _Sort(Kind.OFFLINE, 1.5, people, (0.2, 5)),
    ]
