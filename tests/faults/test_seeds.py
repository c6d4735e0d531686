"""The promise under faults, with a few seeds; `make faults` runs as many as one likes."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.faults.round import run_round
from tests.faults.schedule import Mode
from tests.faults.site import Services, Site

pytestmark = pytest.mark.xdist_group("seeds")  # they share sites, which take long to start

SECONDS = 7.0
EDITS = 101  # at the least, on a busy machine too
SETTLE_SECONDS = 60.0  # `make faults` asks for 15, on a machine of its own
SEEDS = [  # together they have every kind of fault, on every kind of target
    (Mode.REDIS, 204),
    (Mode.REDIS, 205),
    (Mode.POSTGRESQL, 206),
    (Mode.POSTGRESQL, 207),
    (Mode.SQLITE, 208),
]


@pytest.fixture(scope="module")
def site(fault_services: Services) -> Iterator[Callable[[Mode], Site]]:
    """Return a mode's site, started for the first seed that wants it."""
    sites: dict[Mode, Site] = {}

    def start(mode: Mode) -> Site:
        if mode not in sites:
            sheets = [f"seed-{seed}" for of, seed in SEEDS if of is mode]
            sites[mode] = Site(mode, fault_services, sheets).start()
        return sites[mode]

    yield start
    for one in sites.values():
        one.close()


@pytest.mark.parametrize(("mode", "seed"), SEEDS)
def test_nothing_is_lost_doubled_or_unequal_whatever_fails(
    mode: Mode, seed: int, site: Callable[[Mode], Site]
) -> None:
    work = run_round(site(mode), seed, SECONDS, settle_seconds=SETTLE_SECONDS, edits=EDITS)
    result = asyncio.run(work)
    assert not result.violations, result.report()
    assert result.acknowledged >= EDITS
    assert result.messages > 10
