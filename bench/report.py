"""bench/RESULTS.md from what is kept: the aims first, then the tables."""

import json
import math
from collections.abc import Callable, Iterable
from statistics import median

from bench import aims, overload, plot, soak
from bench.live import HOT_ROWS, MAX_P99_MS, MAX_RATE, SPREAD_ROWS
from bench.results import Record, Results
from bench.tables import by, label, mb, median_of, ms, table, times
from tests.servers.process import ROOT

FILE = ROOT / "bench" / "RESULTS.md"
METHOD = ROOT / "bench" / "method.md"  # the page's end, with a few numbers filled in


def write(results: Results) -> None:
    """Write the page and its plots."""
    plot.write(results)
    FILE.write_text(markdown(results))


def markdown(results: Results, *, is_partial: bool = False) -> str:
    """Return the page; sections that were not measured are left out."""
    parts = ["# Results", "", _intro(results, is_partial=is_partial), ""]
    if judged := aims.judge(results):
        parts += ["## Ratios, and the aims they were measured for", ""]
        parts += [
            table(
                ("aim", "measured of", "where", "aim", "measured", "met"),
                [
                    (
                        aim.what,
                        aim.of,
                        aim.where,
                        aim.goal,
                        aim.shown,
                        "yes" if aim.is_met else "**no**",
                    )
                    for aim in judged
                ],
            ),
            "",
        ]
    if not is_partial and plot.PNG.exists():
        parts += ["![Highest rates and costs, ours and the peers'](results.png)", ""]
    for section, (title, render) in SECTIONS.items():
        if results.sections.get(section):
            parts += [f"## {title}", "", *render(results), ""]
    if not is_partial:
        parts += _soak()
    short = [
        f"* {aim.of}, {aim.where}: {aim.what}, {aim.shown} instead of {aim.goal}."
        for aim in judged
        if not aim.is_met
    ]
    parts += ["## What falls short", "", *(short or ["Nothing of the aims."]), ""]
    method = METHOD.read_text().format(hot=HOT_ROWS, spread=SPREAD_ROWS, max_p99_ms=MAX_P99_MS)
    return "\n".join([*parts, method])


def _intro(results: Results, *, is_partial: bool) -> str:
    at = sorted(about["at"] for about in results.about.values())
    commits = sorted({about["commit"] for about in results.about.values()})
    machines = sorted({about["machine"] for about in results.about.values()})
    minutes = sum(about["took_seconds"] for about in results.about.values()) / 60
    what = "A quick or partial `make bench`" if is_partial else "`make bench`"
    if not at:
        return f"{what}: nothing measured yet."
    return (
        f"{what}, {at[0]} to {at[-1]}, {minutes:.0f} minutes of measuring, "
        f"commit {', '.join(commits)}; {' and '.join(machines)}. SheetSync with one "
        "worker and every edit durable, against what one would run instead; medians of three or "
        "more runs, ratios to a bare in-memory Node relay in the same run."
    )


# -- the live path --------------------------------------------------------------------------------


def _highest(results: Results) -> Iterable[str]:
    records = results.sections["highest"]
    sizes = sorted({record["sockets"] for record in records})
    yield (
        "Edits a second; in parentheses times the relay's. *hot* has a K of "
        f"{HOT_ROWS} rows an editor, all else {SPREAD_ROWS:,}. † the generator used more than 80 % "
        f"of its core; ‡ {MAX_RATE:,} was the most that was tried."
    )
    yield ""
    rows = []
    for key, rows_per_editor in dict.fromkeys((r["subject"], r["rows"]) for r in records):
        cells = []
        for sockets in sizes:
            found = results.first("highest", subject=key, rows=rows_per_editor, sockets=sockets)
            relay = results.first("highest", subject="relay", sockets=sockets)
            cells.append(_rate(found, relay))
        hot = ", hot" if rows_per_editor == HOT_ROWS else ""
        rows.append((label(key) + hot, *cells))
    yield table(("", *(f"N = {sockets}" for sockets in sizes)), rows)


def _rate(found: Record | None, relay: Record | None) -> str:
    if found is None:
        return ""
    mark = "†" if (found["load_share"] or 0) > 0.8 else "‡" if found.get("is_at_most") else ""
    ratio = f" ({found['rate'] / relay['rate']:.3g} ×)" if relay and relay["rate"] else ""
    return f"{found['rate']:,}{mark}{ratio}"


def _costs(results: Results) -> Iterable[str]:
    records = results.sections["costs"]
    yield (
        "p50 and p99 from the moment an edit was due to each other socket; CPU-ms for 1,000 "
        "deliveries."
    )
    for sockets, rate in dict.fromkeys((r["sockets"], r["rate"]) for r in records):
        yield f"\n**N = {sockets}, R = {rate}**, K = {SPREAD_ROWS:,}\n"
        rows = []
        for key in dict.fromkeys(
            r["subject"] for r in results.of("costs", sockets=sockets, rate=rate)
        ):
            of_key = results.of("costs", sockets=sockets, rate=rate, subject=key)
            good = [record for record in of_key if "p50_ms" in record]
            if not good:
                rows.append((label(key), "failed", *[""] * 7))
                continue
            rows.append(
                (
                    label(key),
                    f"{median(r['delivered_share'] for r in good):.1%}",
                    ms(median_of(good, "p50_ms")),
                    ms(median_of(good, "p99_ms")),
                    ms(median_of(good, "server_cpu_ms")),
                    ms(median_of(good, "all_cpu_ms")),
                    *(
                        times(aims.ratio_to_relay(results, key, sockets, rate, name))
                        for name in ("p50_ms", "p99_ms", "all_cpu_ms")
                    ),
                )
            )
        yield table(
            ("", "delivered", "p50 ms", "p99 ms", "server CPU-ms", "with services",
             "p50 × relay", "p99 × relay", "CPU × relay"),
            rows,
        )  # fmt: skip


# -- memory, sheets, opening ----------------------------------------------------------------------


def _memory(results: Results) -> Iterable[str]:
    yield (
        "Of the server alone, PSS in MB; *a socket* is the growth from the start to 1,000 idle "
        "sockets on one sheet, for each."
    )
    yield ""
    relay = results.first("memory", subject="relay")
    yield table(
        ("", "after start", "500 idle", "1,000 idle", "after work", "kB a socket", "× relay"),
        [
            (
                label(r["subject"]),
                *(mb(r[f"{name}_pss"]) for name in ("start", "idle_500", "idle_1000", "worked")),
                f"{r['bytes_per_socket'] / 1000:.1f}",
                times(r["bytes_per_socket"] / relay["bytes_per_socket"] if relay else math.nan),
            )
            for r in results.sections["memory"]
        ],
    )


def _sheets(results: Results) -> Iterable[str]:
    records = results.sections["sheets"]
    yield (
        f"{records[0]['sheets']:,} open sheets with two sockets each, of which one edits: "
        f"{records[0]['rate']} edits a second over all sheets, medians."
    )
    yield ""
    rows = []
    for key, found in by(records, "subject"):
        grown = median((r["open_pss"] - r["start_pss"]) / r["sheets"] for r in found)
        rows.append(
            (
                label(key),
                "yes" if all(r["ok"] for r in found) else "**no**",
                ms(median_of(found, "p50_ms")),
                ms(median_of(found, "p99_ms")),
                f"{median(r['server_cpu_share'] for r in found):.1%}",
                f"{median(r['services_cpu_share'] for r in found):.1%}",
                mb(median_of(found, "open_pss")),
                f"{grown / 1000:.1f}",
            )
        )
    yield table(
        ("", "all delivered", "p50 ms", "p99 ms", "server's CPU", "services' CPU", "server MB",
         "kB a sheet with its two sockets"),
        rows,
    )  # fmt: skip


def _open(results: Results) -> Iterable[str]:
    records = results.sections["open"]
    yield (
        "A server that just started opens the sheet for the first time (*first*) and again "
        "(*next*), medians. Times are from `sheet.open` on; CPU is the server's for the whole "
        "opening, connection included."
    )
    yield ""
    rows = []
    for (key, way, cells, is_first), found in by(records, "subject", "way", "cells", "is_first"):
        rows.append(
            (
                label(key),
                f"{cells:,}",
                f"{way}, {'first' if is_first else 'next'}",
                *(
                    ms(median_of(found, name))
                    for name in ("opened_ms", "first_cells_ms", "last_cell_ms")
                ),
                f"{median_of(found, 'bytes') / 1e6:.2f}",
                ms(median_of(found, "server_cpu_ms")),
                ms(median_of(found, "services_cpu_ms")),
                f"{mb(median_of(found, 'pss_before'))} → {mb(median_of(found, 'pss_after'))}",
            )
        )
    yield table(
        ("", "cells", "opening", "answered ms", "first cells ms", "last cell ms", "MB on the wire",
         "server CPU-ms", "services CPU-ms", "server MB before → after"),
        rows,
    )  # fmt: skip


def _catch_up(results: Results) -> Iterable[str]:
    records = results.sections["catchup"]
    yield (
        f"A client comes back to a sheet of {records[0]['cells_of_sheet']:,} cells after "
        f"{records[0]['missed']:,} revisions of a random cell each, medians; the server has not "
        "had the sheet open."
    )
    yield ""
    rows = [
        (
            label(key),
            f"{found[0]['cells_received']:,}",
            ms(median_of(found, "opened_ms")),
            ms(median_of(found, "last_cell_ms")),
            f"{median_of(found, 'bytes') / 1e6:.2f}",
            ms(median_of(found, "server_cpu_ms")),
        )
        for key, found in by(records, "subject")
    ]
    yield table(
        ("", "cells touched", "answered ms", "last cell ms", "MB on the wire", "server CPU-ms"),
        rows,
    )


# -- commits --------------------------------------------------------------------------------------


def _size(results: Results) -> Iterable[str]:
    records = results.sections["size"]
    full = max(record["cells"] for record in records)
    yield (
        "`services.commit` called directly, batches of edits of one random cell each, on an empty "
        f"database and on one whose sheet has {full:,} cells and as many revisions, in turns. "
        "Medians."
    )
    yield ""
    rows = []
    for (database, batch), found in by(records, "database", "batch"):
        empty, filled = (
            median(s for r in found if r["size"] == size for s in r["seconds"])
            for size in ("empty", "full")
        )
        on_disk = max(r["bytes_on_disk"] for r in found)
        rows.append(
            (
                database,
                f"{batch:,}",
                ms(empty * 1000),
                ms(filled * 1000),
                times(filled / empty),
                f"{batch / empty:,.0f}",
                f"{batch / filled:,.0f}",
                f"{on_disk / 1e6:,.0f}",
            )
        )
    yield table(
        ("", "edits in a batch", "ms, empty", "ms, full", "full ÷ empty", "edits/s, empty",
         "edits/s, full", "MB on disk"),
        rows,
    )  # fmt: skip


def _intake(results: Results) -> Iterable[str]:
    records = results.sections["intake"]
    yield (
        f"{records[0]['sockets']} sockets on one sheet that keep {records[0]['window']} edits each "
        "in flight: durable, acknowledged edits a second of one web process, medians."
    )
    yield ""
    rows = [
        (
            label(key),
            "yes" if all(r["ok"] for r in found) else "**no**",
            f"{median_of(found, 'edits_per_second'):,.0f}",
            ms(median_of(found, "acknowledged_p50_ms")),
            f"{median_of(found, 'server_cpu_share'):.0%}",
            f"{median_of(found, 'services_cpu_share'):.0%}",
            f"{median_of(found, 'load_share'):.0%}",
        )
        for key, found in by(records, "subject")
    ]
    yield table(
        ("", "all acknowledged", "edits/s", "p50 ms to the acknowledgement", "server's CPU",
         "services' CPU", "generator's share of its core"),
        rows,
    )  # fmt: skip


def _overload(results: Results) -> Iterable[str]:
    yield (
        f"{overload.NEIGHBOURS} sockets of which {overload.EDITORS} edit, "
        f"{overload.EDITS_PER_SECOND:.0f} edits a second in all, while another client misbehaves; "
        "latencies are those of the well-behaved. More scenarios: `python -m bench.overload`."
    )
    yield ""
    rows = [overload.Row(**record) for record in results.sections["overload"]]
    yield "\n".join([overload.HEADER, *(row.markdown() for row in rows)])


def _draining(results: Results) -> Iterable[str]:
    records = results.sections["draining"]
    yield (
        f"{records[0]['clients']} clients on two web processes behind a balancer, two edits a "
        "second each; one process gets SIGTERM, and its clients come back as a browser does, with "
        "up to 0.5 s of jitter. A line a round."
    )
    yield ""
    yield table(
        ("clients moved", "closed with", "open again after p50 s", "the last, s",
         "without a server p50 s", "process ended after s", "edits", "sent again", "unanswered"),
        [
            (
                record["moved"],
                ", ".join(record["codes"]),
                f"{record['until_open_p50_seconds']:.2f}",
                f"{record['until_open_max_seconds']:.2f}",
                f"{record['away_p50_seconds']:.2f}",
                f"{record['ended_after_seconds']:.2f}",
                f"{record['submitted']:,}",
                record["sent_again"],
                record["unanswered"],
            )
            for record in records
        ],
    )  # fmt: skip


def _soak() -> list[str]:
    if not soak.RESULTS.exists():
        return []
    kept = json.loads(soak.RESULTS.read_text())
    failed = f" **It failed: {kept['failed']}**" if "failed" in kept else ""
    return ["## The soak", "", soak.summary(kept) + failed, "", soak.table(kept), ""]


SECTIONS: dict[str, tuple[str, Callable[[Results], Iterable[str]]]] = {
    "highest": ("The highest rate", _highest),
    "costs": ("What a load costs", _costs),
    "memory": ("Memory", _memory),
    "open": ("Opening a sheet", _open),
    "catchup": ("Catching up", _catch_up),
    "size": ("Commits against the size of the database", _size),
    "intake": ("Intake", _intake),
    "sheets": ("Many sheets", _sheets),
    "overload": ("Overload", _overload),
    "draining": ("Deploys", _draining),
}
