import json
from pathlib import Path

import pytest

from bench import aims, plot, report
from bench.live import HOT_ROWS, SPREAD_ROWS
from bench.results import Record, Results


def highest(subject: str, sockets: int, rate: int, rows: int = SPREAD_ROWS) -> Record:
    named = {"subject": subject, "sockets": sockets, "rows": rows, "rate": rate}
    return named | {"p99_ms": 200.0, "load_share": 0.9 if rows == HOT_ROWS else 0.2}


def cost(subject: str, round_: int, p50_ms: float, cpu_ms: float) -> Record:
    named = {"subject": subject, "sockets": 100, "rate": 20, "rows": SPREAD_ROWS, "round": round_}
    shown = {"p50_ms": p50_ms, "p99_ms": 2 * p50_ms, "delivered_share": 1.0, "ok": True}
    return named | shown | {"server_cpu_ms": cpu_ms, "all_cpu_ms": cpu_ms}


@pytest.fixture
def results() -> Results:
    results = Results()
    results.sections = {
        "highest": [
            highest("relay", 100, 100),
            highest("uvicorn-sqlite", 100, 2_900),
            highest("uvicorn-sqlite", 100, 8_000, HOT_ROWS),
        ],
        "costs": [
            # The machine was slow in the second round: ratios within a round do not mind.
            *(cost("relay", round_, p50, p50 * 4) for round_, p50 in enumerate((2, 20, 2))),
            *(
                cost("uvicorn-sqlite", round_, p50, p50 * 2)
                for round_, p50 in enumerate((3, 22, 2.2))
            ),
        ],
    }
    return results


def test_ratios_are_to_the_relay_of_the_same_round(results: Results) -> None:
    assert aims.ratio_to_relay(results, "uvicorn-sqlite", 100, 20, "p50_ms") == pytest.approx(1.1)
    assert aims.ratio_to_relay(results, "uvicorn-sqlite", 100, 20, "all_cpu_ms") == pytest.approx(
        0.55
    )


def test_an_aim_is_judged_where_it_was_measured(results: Results) -> None:
    judged = [(aim.where, aim.shown, aim.is_met) for aim in aims.judge(results)]
    assert judged == [
        ("N = 100, K = 1,000: R = 2,900 to 100", "29 ×", False),
        (f"N = 100, K = {HOT_ROWS}: R = 8,000 to 100", "80 ×", True),
        ("N = 100, R = 20, K = 1,000", "0.55 ×", True),
        ("N = 100, R = 20, K = 1,000", "1.1 ×", True),
    ]


def test_page_says_first_what_was_aimed_for_and_last_what_falls_short(results: Results) -> None:
    page = report.markdown(results, is_partial=True)
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings[0] == "## Ratios, and the aims they were measured for"
    assert headings.index("## What falls short") > headings.index("## What a load costs")
    short = "* SQLite, N = 100, K = 1,000: R = 2,900 to 100: highest R, times the relay's, 29 ×"
    assert f"{short} instead of ≥ 30 ×." in page
    assert "| SheetSync, uvicorn, SQLite, hot | 8,000† (80 ×) |" in page
    assert "Memory" not in "".join(headings)


def test_a_run_that_failed_is_said_and_counts_nowhere(results: Results) -> None:
    named = {"subject": "naive", "sockets": 100, "rate": 20, "rows": SPREAD_ROWS, "round": 0}
    results.sections["costs"].append(named | {"ok": False, "failed": "it ended"})
    assert "| naive | failed |" in report.markdown(results, is_partial=True).replace(
        "naive Channels consumer, PostgreSQL, Redis", "naive"
    )
    drawn = json.dumps(plot.spec(results))
    assert '"line": "Express + ws relay"' in drawn
    assert '"line": "naive Channels"' not in drawn


def test_results_survive_a_file(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.results.FILE", tmp_path / "results.json")
    results.replace("memory", [{"subject": "relay", "bytes_per_socket": 18_000}])
    results.save()
    kept = Results.load()
    assert kept.sections == results.sections
    assert kept.about.keys() == {"memory"}
