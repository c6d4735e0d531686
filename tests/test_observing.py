"""What operators see of a deployment: metrics, log lines, traces and errors of real processes.

One site serves all of these tests: two workers on SQLite, without Redis, as in production.
"""

import json
import re
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.databases import Databases
from tests.servers.deployment import Deployment
from tests.servers.process import ROOT, clean_environment, wait_until
from tests.servers.receiver import Receiver, Traced, receiving
from tests.servers.sheetsync import WebServer
from tests.servers.wire import SheetClient, open_sheet

pytestmark = pytest.mark.xdist_group("observing")

TOKEN = "for-prometheus"


@dataclass(frozen=True, slots=True)
class Site:
    web: WebServer
    deployment: Deployment
    receiver: Receiver

    def metrics(self) -> dict[str, float]:
        """Return all samples by name and labels, as Prometheus would write them."""
        return {
            f"{sample.name}{json.dumps(sample.labels, sort_keys=True)}": sample.value
            for family in text_string_to_metric_families(self.metrics_text())
            for sample in family.samples
        }

    def metrics_text(self) -> str:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with urlopen(Request(f"{self.web.url}/metrics", headers=headers)) as answer:
            text: str = answer.read().decode()
        return text

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of a metric over all processes that have these labels."""
        wanted = labels.items()
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.metrics_text())
            for sample in family.samples
            if sample.name == name and wanted <= sample.labels.items()
        )

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.web.output().splitlines()]


@pytest.fixture(scope="module")
def site(new_database: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    deployment = Deployment(new_database("sqlite"))
    deployment.make_sheets("prices", "other")
    with receiving() as receiver:
        environment = {
            "DEBUG": "0",
            "SECRET_KEY": "a-key-of-these-tests",
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": deployment.database_url,
            "EMBEDDED_CALCULATION": "0",
            "LOG_LEVEL": "DEBUG",
            "METRICS_TOKEN": TOKEN,
            "SENTRY_DSN": receiver.sentry_dsn,
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.otlp_endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        log = tmp_path_factory.mktemp("observing") / "web.log"
        web = WebServer(environment, log=log, workers=2)
        web.start()
        try:
            yield Site(web, deployment, receiver)
        finally:
            web.kill()


def test_whichever_worker_is_asked_tells_of_the_sockets_commits_and_refusals_of_both(
    site: Site,
) -> None:
    committed = site.total("sheetsync_commit_submissions_sum")
    refused = site.total("sheetsync_refusals_total", code="unknown_id")
    workers = site.web.worker_pids()
    with ExitStack() as stack:
        clients: dict[int, SheetClient] = {}
        for _ in range(100):  # the kernel deals sockets out; those too many are closed again
            opened = open_sheet(site.web.websocket_url, "prices")
            with ExitStack() as closing:
                client = closing.enter_context(opened)
                if clients.setdefault(client.served_by(workers), client) is client:
                    stack.push(closing.pop_all())
            if len(clients) == 2:
                break
        with open_sheet(site.web.websocket_url, "prices"):
            pass  # one more, which is gone again
        for client in clients.values():
            client.set_cell(client.key(0, 0), "one")
            with pytest.raises(AssertionError, match="the server refused"):
                client.set_cell((999_999, 0), "no such row")

        def is_told() -> bool:
            return (
                site.total("sheetsync_commit_submissions_sum") >= committed + 4
                and site.total("sheetsync_refusals_total", code="unknown_id") == refused + 2
                and site.total("sheetsync_sockets") == 2
            )

        wait_until(is_told, "figures of both workers")
        metrics = site.metrics()
        for pid in workers:
            labels = next(
                name.partition("{")[2]
                for name in metrics
                if name.startswith("sheetsync_sockets{") and f':{pid}"' in name
            )
            assert metrics[f"sheetsync_sockets{{{labels}"] == 1
            assert metrics[f"sheetsync_open_sheets{{{labels}"] == 1
            assert metrics[f"sheetsync_commit_seconds_count{{{labels}"] >= 2
            assert metrics[f"sheetsync_delta_bytes_sum{{{labels}"] > 20


def test_an_edit_is_one_trace_from_its_frame_to_its_commit_to_its_fan_out(site: Site) -> None:
    operation_id = str(uuid.uuid4())
    with open_sheet(site.web.websocket_url, "other") as client:
        cells = [[*client.key(1, 1), "traced"]]
        operation = {"kind": "set_cells", "cells": cells}
        client.send(
            {"type": "operation.submit", "operation_id": operation_id, "operation": operation}
        )
        client.wait_until(lambda: operation_id in client.committed, "the acknowledgement")
        revision = client.committed[operation_id]

    def trace() -> dict[str, Traced]:
        spans = site.receiver.spans()
        frames = [
            one
            for one in spans
            if one.span.name == "operation.submit"
            and one.attribute("sheetsync.operation_id") == operation_id
        ]
        ids = {frame.span.trace_id for frame in frames}
        return {one.span.name: one for one in spans if one.span.trace_id in ids}

    wait_until(lambda: len(trace()) == 3, "the spans of an edit")
    found = trace()
    frame, commit, told = (
        found[name] for name in ("operation.submit", "sheet.commit", "sheet.fan_out")
    )
    assert not frame.span.parent_span_id
    assert commit.span.parent_span_id == frame.span.span_id
    assert [link.span_id for link in commit.span.links] == [frame.span.span_id]
    assert told.span.parent_span_id == commit.span.span_id
    assert frame.attribute("sheetsync.revision") == revision
    assert commit.attribute("sheetsync.revisions") == [revision]
    assert commit.attribute("sheetsync.operation_ids") == [operation_id]
    assert told.attribute("sheetsync.sheet") == "other"
    assert told.attribute("sheetsync.sockets") == 1
    assert frame.resource["service.name"].string_value == "sheetsync"
    assert frame.span.start_time_unix_nano <= commit.span.start_time_unix_nano
    assert told.span.end_time_unix_nano <= frame.span.end_time_unix_nano


def test_every_line_of_every_process_is_json_and_one_grep_follows_an_edit(site: Site) -> None:
    with open_sheet(site.web.websocket_url, "prices") as client:
        revision = client.set_cell(client.key(2, 2), "logged")
        (operation_id,) = client.committed

    def found() -> list[dict[str, object]]:
        return [line for line in site.lines() if line.get("operation_id") == operation_id]

    (line,) = wait_until(found, "the line of the edit")
    assert (line["sheet"], line["revision"]) == ("prices", revision)
    assert (line["level"], line["logger"]) == ("DEBUG", "cells.services.commit")
    assert f"operation_id={operation_id}" in str(line["message"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line["time"]))
    # Of uvicorn's parent, of its workers, and of what they were asked.
    loggers = {line["logger"] for line in site.lines()}
    assert {"uvicorn.error", "uvicorn.access", "cells.services.commit"} <= loggers
    assert len({line["process"] for line in site.lines()}) == 3


def test_an_unhandled_error_reaches_sentry_without_what_people_wrote(site: Site) -> None:
    file = site.deployment.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(file, timeout=20) as database:
        database.execute("ALTER TABLE auth_user RENAME TO away")
    try:
        body = b"username=alice&password=a-secret-of-alice"
        request = Request(f"{site.web.url}/accounts/login/?next=/private", body)
        csrf = "c" * 32
        request.add_header("Cookie", f"csrftoken={csrf}")
        request.add_header("X-CSRFToken", csrf)
        with pytest.raises(HTTPError) as refusal:
            urlopen(request)
        with refusal.value as answer:
            assert answer.code == 500
    finally:
        with sqlite3.connect(file, timeout=20) as database:
            database.execute("ALTER TABLE away RENAME TO auth_user")
    (event,) = wait_until(site.receiver.events, "the error")
    assert event["exception"]["values"][-1]["type"] == "OperationalError"
    assert re.fullmatch(r"sheetsync@\d+\.\d+\.\d+", event["release"])
    assert event["request"]["url"].endswith("/accounts/login/")
    assert "user" not in event
    for private in ("alice", "a-secret", "private", csrf):
        assert private not in json.dumps(event), private
    # The operator's own log has it as well, still one line.
    (line,) = [line for line in site.lines() if "no such table" in str(line.get("exception"))]
    assert "Traceback" in str(line["exception"])


@pytest.mark.parametrize(
    ("variable", "value", "module", "package"),
    [
        ("SENTRY_DSN", "https://key@sentry.example.com/1", "sentry_sdk", "sentry-sdk"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://127.0.0.1:4318",
            "opentelemetry.exporter",
            "opentelemetry-exporter-otlp-proto-http",
        ),
    ],
)
def test_a_start_without_the_library_says_what_to_install(
    variable: str, value: str, module: str, package: str
) -> None:
    # As where it is not installed: the import system finds nothing of that name.
    start = f"import sys; sys.modules[{module!r}] = None; import django; django.setup()"
    said = failing({variable: value, "DJANGO_SETTINGS_MODULE": "sheetsync.settings"}, start)
    assert f"{variable} is set and {package} is not installed" in said
    assert "pip install -r requirements-observe.txt" in said


def test_settings_refuse_nonsense() -> None:
    for variable, value in (
        ("LOG_FORMAT", "xml"),
        ("SENTRY_DSN", "sentry.example.com"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317"),
    ):
        said = failing({variable: value}, "import sheetsync.settings")
        assert f"ImproperlyConfigured: {variable}" in said


def failing(environment: dict[str, str], code: str) -> str:
    """Run code that must fail, and return what it says."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    return done.stderr


# -- what deploy/ says ----------------------------------------------------------------------------


def test_dashboard_and_alerts_ask_for_metrics_and_labels_that_there_are(site: Site) -> None:
    expressions = list(_expressions())
    assert len(expressions) > 25
    names = {"up"}
    for family in text_string_to_metric_families(site.metrics_text()):
        names |= {
            "counter": {f"{family.name}_total"},
            "histogram": {f"{family.name}_{part}" for part in ("bucket", "sum", "count")},
        }.get(family.type, {family.name})
    for text in expressions:
        expression = text.replace("$__rate_interval", "1m")
        promql_parser.parse(expression)  # raises ValueError
        used = set(re.findall(r"\b(?:sheetsync_\w+|up)\b", re.sub(r'"[^"]*"', "", expression)))
        assert used, text
        assert used <= names, text
    alerts = {rule["alert"] for rule in _rules()}
    assert len(alerts) >= 8
    for rule in _rules():
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def _rules() -> list[dict[str, dict[str, str]]]:
    document = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def _expressions() -> Iterator[str]:
    yield from (str(rule["expr"]) for rule in _rules())
    board = json.loads((ROOT / "deploy/grafana/sheetsync.json").read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
