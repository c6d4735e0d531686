"""The checker can fail: each of these defects, put into a real server, is found and named."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.faults.checker import Promise
from tests.faults.round import Result, run_round
from tests.faults.schedule import Fault, Kind, Mode
from tests.faults.site import Services, Site, prepare

SECONDS = 3.0
SEEDS = (1, 2, 3, 4, 5, 6)  # until it is found
SETTLE_SECONDS = 3.0  # for one that will never settle; without a defect it takes a tenth of this

# Answers get lost, so that clients try again what is in the log.
RETRIES = (
    Fault(0.5, Kind.LOSE_ANSWERS, "web-1/clients", 0.3),
    Fault(1.5, Kind.LOSE_ANSWERS, "web-1/clients", 0.3),
)


@dataclass(frozen=True)
class Mutant:
    """A defect, and what the checker must call it."""

    name: str
    found: Promise
    web_servers: int = 1
    schedule: Sequence[Fault] = ()
    edits: int = 0  # that a round waits for: such a defect needs many, on a busy machine too


pytestmark = pytest.mark.xdist_group("mutants")  # one run of all of them

MUTANTS = [
    Mutant("lose_commits", Promise.ACKNOWLEDGED_BUT_LOST),
    Mutant("commit_twice", Promise.COMMITTED_TWICE, schedule=RETRIES),
    Mutant("skip_revisions", Promise.REVISIONS_WITH_GAPS),
    Mutant("undo_over_others", Promise.TAKEN_BACK_WRONGLY, edits=200),
    # After the last commit on one server nothing tells the clients of the other.
    Mutant("lose_hints", Promise.CLIENT_NOT_EQUAL, web_servers=2),
]


@pytest.fixture(scope="module")
def results(
    fault_services: Services, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Result]:
    """Run all of them side by side: each is a small process or two, which mostly wait."""
    database_url = f"sqlite:///{tmp_path_factory.mktemp('mutants') / 'sheets.sqlite3'}"
    prepare(database_url, [f"{mutant.name}-{seed}" for mutant in MUTANTS for seed in SEEDS])

    def run(mutant: Mutant) -> Result:
        for seed in SEEDS:
            result = run_seed(mutant, seed)
            if mutant.found in {violation.promise for violation in result.violations}:
                break
        return result

    def run_seed(mutant: Mutant, seed: int) -> Result:
        site = Site(
            Mode.SQLITE,
            fault_services,
            [f"{mutant.name}-{seed}"],
            mutant=mutant.name,
            web_servers=mutant.web_servers,
            listeners=0,
            database_url=database_url,
        ).start()
        try:
            return asyncio.run(
                run_round(
                    site,
                    seed=seed,
                    seconds=SECONDS,
                    schedule=mutant.schedule,
                    clients=4,
                    settle_seconds=SETTLE_SECONDS,
                    edits=mutant.edits,
                )
            )
        finally:
            site.close()

    with ThreadPoolExecutor(len(MUTANTS)) as pool:
        return dict(zip([one.name for one in MUTANTS], pool.map(run, MUTANTS), strict=True))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_defect_is_found_and_named(mutant: Mutant, results: dict[str, Result]) -> None:
    result = results[mutant.name]
    assert mutant.found in {violation.promise for violation in result.violations}, result.report()
