import pytest

from tests.faults.schedule import Kind, Mode, make_schedule
from tests.faults.test_seeds import SECONDS, SEEDS


@pytest.mark.parametrize("mode", Mode)
def test_a_seed_always_gives_the_same_faults_and_another_seed_others(mode: Mode) -> None:
    first = make_schedule(7, mode, 20, clients=6)
    assert first == make_schedule(7, mode, 20, clients=6)
    assert first != make_schedule(8, mode, 20, clients=6)
    assert first


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("seconds", [8, 20])
def test_all_faults_are_over_in_time(mode: Mode, seconds: int) -> None:
    for seed in range(100):
        faults = make_schedule(seed, mode, seconds, clients=6)
        assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
        assert all(fault.at + fault.seconds <= seconds + 0.01 for fault in faults)


def test_seeds_of_the_suite_have_every_kind_of_fault_and_every_mode() -> None:
    assert {mode for mode, _ in SEEDS} == set(Mode)
    assert {
        fault.kind
        for mode, seed in SEEDS
        for fault in make_schedule(seed, mode, SECONDS, clients=6)
    } == set(Kind)
