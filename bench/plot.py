"""bench/results.png and bench/results.svg: highest rates and costs, ours and the peers'."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.live import HOT_ROWS, SPREAD_ROWS
from bench.results import Results
from tests.servers.process import ROOT

PNG = ROOT / "bench" / "results.png"
SVG = ROOT / "bench" / "results.svg"

# The drawing library brings the first one, so that every machine draws alike.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
POWERS = [10**power for power in range(-1, 6)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of both panels. Colours are Okabe and Ito's, safe for the colour-blind.

    https://jfly.uni-koeln.de/color/
    """

    subject: str
    rows: int
    label: str
    color: str
    shape: str
    is_ours: bool = False


LINES = (
    Line("uvicorn-sqlite", HOT_ROWS, "SheetSync, SQLite, hot", "#009E73", "diamond", True),
    Line("uvicorn-sqlite", SPREAD_ROWS, "SheetSync, SQLite", "#0072B2", "circle", True),
    Line("uvicorn-pg-redis", SPREAD_ROWS, "SheetSync, PostgreSQL", "#56B4E9", "square", True),
    Line("relay", SPREAD_ROWS, "Express + ws relay", "#000000", "cross"),
    Line("hocuspocus", SPREAD_ROWS, "Hocuspocus (Yjs)", "#D55E00", "triangle-up"),
    Line("sharedb", SPREAD_ROWS, "ShareDB", "#E69F00", "triangle-down"),
    Line("ethercalc", SPREAD_ROWS, "EtherCalc", "#CC79A7", "triangle-right"),
    Line("naive", SPREAD_ROWS, "naive Channels", "#8A7A00", "triangle-left"),
)


def write(results: Results) -> None:
    """Draw what was measured; nothing before both sections were."""
    if not (results.sections.get("highest") and results.sections.get("costs")):
        return
    import vl_convert  # here alone: it is large, and only the report needs it

    drawn = spec(results)
    PNG.write_bytes(vl_convert.vegalite_to_png(drawn, scale=2))
    SVG.write_text(vl_convert.vegalite_to_svg(drawn))


def spec(results: Results) -> dict[str, Any]:
    """Return the two panels in Vega-Lite (https://vega.github.io/vega-lite/docs/)."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "padding": 16,
        "hconcat": [
            _panel(
                list(_highest(results)),
                {
                    "field": "order",
                    "type": "quantitative",
                    "scale": {"type": "log", "domain": [8, 640]},
                    "axis": {"values": [10, 100, 500], "format": "d", "grid": False},
                },
                title="Highest rate that holds",
                subtitle="every edit delivered, p99 < 250 ms; higher is better",
                x_title="sockets on one sheet, a tenth of them editing",
                y_title="edits a second",
                labeled=("uvicorn-sqlite", "relay"),
            ),
            _panel(
                list(_costs(results)),
                {"field": "at", "type": "ordinal", "sort": {"field": "order"}},
                title="Processor time of a delivery",
                subtitle="server and its services; lower is better",
                x_title="sockets, edits a second",
                y_title="CPU-ms for 1,000 deliveries",
            ),
        ],
        "spacing": 30,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal"},
            "title": {"fontSize": 16, "subtitleFontSize": 12, "anchor": "start", "offset": 12},
            "legend": {"labelFontSize": 12, "symbolSize": 90, "labelLimit": 0},
        },
    }


def _highest(results: Results) -> Iterator[dict[str, Any]]:
    for line in LINES:
        for record in results.of("highest", subject=line.subject, rows=line.rows):
            if record["rate"]:
                at = record["sockets"]
                yield {"line": line.label, "at": f"{at:,}", "order": at, "value": record["rate"]}


def _costs(results: Results) -> Iterator[dict[str, Any]]:
    for line in LINES:
        if line.rows == HOT_ROWS:
            continue
        of_line = results.of("costs", subject=line.subject)
        for sockets, rate in dict.fromkeys((r["sockets"], r["rate"]) for r in of_line):
            found = [
                r["all_cpu_ms"]
                for r in of_line
                if (r["sockets"], r["rate"]) == (sockets, rate) and r["ok"]
            ]
            if found:
                yield {
                    "line": line.label,
                    "at": f"{sockets}, {rate}",
                    "order": sockets * 10_000 + rate,
                    "value": median(found),
                }


def _panel(
    values: list[dict[str, Any]],
    x: dict[str, Any],
    *,
    title: str,
    subtitle: str,
    x_title: str,
    y_title: str,
    labeled: Sequence[str] = (),
) -> dict[str, Any]:
    shown = [line for line in LINES if any(value["line"] == line.label for value in values)]
    labels = [line.label for line in shown]
    color = {
        "field": "line",
        "type": "nominal",
        "scale": {"domain": labels, "range": [line.color for line in shown]},
        "legend": {"title": None, "orient": "bottom", "columns": 4},
    }
    shape = {
        "field": "line",
        "type": "nominal",
        "scale": {"domain": labels, "range": [line.shape for line in shown]},
        "legend": {"title": None, "orient": "bottom", "columns": 4},
    }
    numbered = [line.label for line in shown if line.subject in labeled and line.rows != HOT_ROWS]
    ours = [line.label for line in shown if line.is_ours]
    return {
        "title": {"text": title, "subtitle": subtitle},
        "width": 420,
        "height": 380,
        "data": {"values": values},
        "encoding": {
            "x": x | {"axis": {"title": x_title, "labelAngle": 0} | x.get("axis", {})},
            "y": {
                "field": "value",
                "type": "quantitative",
                "scale": {"type": "log"},
                "axis": {"title": y_title, "format": ",~r", "values": POWERS},
            },
            "color": color,
        },
        "layer": [
            {
                "mark": {"type": "line"},
                "encoding": {
                    "size": {
                        "condition": {
                            "test": {"field": "line", "oneOf": ours},
                            "value": 3,
                        },
                        "value": 1.5,
                    }
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                "encoding": {"shape": shape},
            },
            {
                "mark": {"type": "text", "dy": -12, "fontSize": 11},
                "transform": [{"filter": {"field": "line", "oneOf": numbered}}],
                "encoding": {"text": {"field": "value", "type": "quantitative", "format": ",.3~r"}},
            },
        ],
    }
