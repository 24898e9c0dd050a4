"""A real Prometheus watches the running service: every panel of the dashboard shows something, every alert looks."""

from __future__ import annotations

import io
import math
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml
from PIL import Image

from tests.monitoring.dashboard import Panel, panels
from tests.monitoring.drawing import draw
from tests.monitoring.prometheus import MONITORING, MeasuredStack, Prometheus, needs_prometheus
from tests.support.environment import ROOT, until
from tests.support.stack import scalp_photo

pytestmark = [pytest.mark.processes, needs_prometheus]

PHOTOS = 24
WINDOW = "20s"
SHOWN = [panel for panel in panels() if panel.kind != "row"]
#: Only a worker on a GPU has these.
OF_CUDA = re.compile("scalp_device_memory_bytes")


class Watched:
    """A stack under a small load, and the Prometheus that watches it."""

    def __init__(self, stack: MeasuredStack, prometheus: Prometheus, since: float) -> None:
        self.stack = stack
        self.prometheus = prometheus
        self.since = since


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, small_bundle: Path) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    stack = MeasuredStack(folder, small_bundle, SCALP_RETENTION_HOURS="0.02")  # A purge every 7 s.
    try:
        stack.up()
        with Prometheus(folder, stack.targets()) as prometheus:
            until(lambda: set(prometheus.up().values()) == {"up"}, 30, "three targets that are up")
            watched = Watched(stack, prometheus, time.time())
            some_load(stack)
            time.sleep(3)  # Three scrapes.
            yield watched
    finally:
        stack.down()


def some_load(stack: MeasuredStack) -> None:
    photos = [scalp_photo(seed) for seed in range(4)]
    sent = [stack.submit(dark_photo() if number % 8 == 0 else photos[number % 4]) for number in range(PHOTOS)]
    assert {answer.status_code for answer in sent} == {202}
    ended = [stack.wait(answer.json()["id"])["status"] for answer in sent]
    assert (ended.count("succeeded"), ended.count("rejected")) == (PHOTOS - 3, 3)
    for path in ("/", "/sample/", "/no/such/page"):
        requests.get(stack.url + path, timeout=10)


def dark_photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (320, 240), (3, 2, 2)).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize("panel", SHOWN, ids=lambda panel: panel.title)
def test_a_panel_shows_something(watched: Watched, panel: Panel) -> None:
    assert panel.queries
    for query in panel.queries:
        found = watched.prometheus.query_range(query.over(WINDOW), watched.since, time.time(), 1)
        if OF_CUDA.search(query.expression):
            continue
        values = [float(value) for series in found for _at, value in series["values"]]
        assert any(math.isfinite(value) for value in values), query.expression
        assert "{{" not in "".join(query.name(series["metric"]) for series in found), "a label that no series has"


def test_what_is_shown_is_what_happened(watched: Watched) -> None:
    def now(expression: str) -> float:
        return float(watched.prometheus.query(expression)[0]["value"][1])

    assert now("sum(scalp_analyses_submitted_total)") == PHOTOS
    assert now('sum(scalp_analyses_ended_total{status="succeeded"})') == PHOTOS - 3
    assert now('sum(scalp_analyses_ended_total{status="rejected",code="too_dark"})') == 3
    assert now("sum(scalp_findings_total)") == 6 * (PHOTOS - 3)
    assert now("sum(scalp_batch_photos_sum)") == now("sum(scalp_inference_seconds_count)") == PHOTOS
    assert now("sum(scalp_queue_wait_seconds_count)") == now("sum(scalp_end_to_end_seconds_count)") == PHOTOS
    assert now('sum(scalp_attempts_total{outcome=~"succeeded|rejected"})') == PHOTOS
    assert now("max(scalp_ready)") == now("max(scalp_workers)") == 1
    assert now('scalp_models_loaded{job="model"}') == 7
    assert now('sum(scalp_bundle_info{bundle="demo@1.0.0",demo="true"})') == 1
    assert now('scalp_http_requests_total{route="/api/v1/analyses/",method="POST",status="202"}') == PHOTOS
    assert now('scalp_upkeep_runs_total{task="reap"}') > 1


def test_each_metric_that_an_alert_looks_at_is_there(watched: Watched) -> None:
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    names = {name for group in groups for rule in group["rules"] for name in re.findall(r"scalp_\w+", rule["expr"])}
    assert [name for name in sorted(names) if not watched.prometheus.query(name)] == []


def test_the_number_of_series_does_not_grow_with_the_number_of_photos(watched: Watched) -> None:
    def series() -> float:
        return float(watched.prometheus.query('count({__name__=~"scalp_.*"})')[0]["value"][1])

    before = series()
    for _ in range(4):
        watched.stack.wait(watched.stack.submit().json()["id"])
    time.sleep(2.5)
    assert series() == before


def test_an_alert_is_on_its_way_soon_after_the_worker_died(watched: Watched) -> None:
    assert watched.prometheus.alerts() == set()
    watched.stack.kill("model")
    expected = {"NotReady", "NoModelWorker", "TargetDown"}
    until(lambda: watched.prometheus.alerts() == expected, 30, f"just these: {expected}")
    watched.stack.mend()
    until(lambda: watched.prometheus.alerts() == set(), 30, "quiet")


def test_the_dashboard_can_be_drawn(watched: Watched) -> None:
    file = ROOT / "var" / "screenshots" / "dashboard.png"
    file.unlink(missing_ok=True)
    draw(watched.prometheus, watched.since, time.time(), WINDOW, file)
    with Image.open(file) as picture:
        assert picture.width > 1000
        assert picture.height > 1000
