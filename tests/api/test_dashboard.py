"""/admin/dashboard/: what went on in a day, for people of the house."""

from __future__ import annotations

import html
import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backend.analyses.models import Analysis, Finding
from backend.analyses.states import Status
from backend.dashboard.selectors import HOURS, Durations, last_day
from tests.api.conftest import Worker
from tests.support.analyses import IN_STATUS, failed, queued, rejected, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db]

DASHBOARD = "/admin/dashboard/"
NOON = datetime(2026, 3, 4, 12, 34, tzinfo=ZoneInfo("Asia/Seoul"))


def came(analysis: Analysis, at: datetime, *, wait: float = 1, whole: float = 2) -> None:
    """Set when the photo arrived, how many seconds it waited and how many its analysis took."""
    Analysis.objects.filter(pk=analysis.pk).update(
        created_at=at,
        queued_at=at,
        started_at=at + timedelta(seconds=wait),
        finished_at=at + timedelta(seconds=whole),
    )


# What is counted


def test_only_the_photos_of_the_last_day_are_counted_and_by_their_hour() -> None:
    for back in (timedelta(minutes=1), timedelta(hours=1), timedelta(hours=23, minutes=33), timedelta(hours=24)):
        came(succeeded(), NOON - back)
    seen = last_day(NOON)
    assert [hour.by_status[Status.SUCCEEDED] for hour in seen.hours] == [1, *[0] * (HOURS - 3), 1, 1]
    assert seen.hours[-1].begins == NOON.replace(minute=0)
    assert seen.bundles == {("demo@1.0.0", True): 3}


def test_today_begins_at_midnight_where_the_service_is() -> None:
    came(succeeded(), NOON.replace(hour=0, minute=0))
    came(rejected(), NOON.replace(hour=0, minute=0) - timedelta(seconds=1))
    assert last_day(NOON).today == {Status.SUCCEEDED: 1}


def test_each_state_and_each_reason_is_counted() -> None:
    for make in IN_STATUS.values():
        make()
    rejected("too_dark")
    rejected("too_dark")
    failed("out_of_memory")
    seen = last_day()
    counts = sum((hour.by_status for hour in seen.hours), Counter())
    assert counts == {status: {Status.REJECTED: 3, Status.FAILED: 2}.get(status, 1) for status in Status}
    assert seen.rejections == {"not_a_scalp": 1, "too_dark": 2}
    assert seen.failures == {"model_error": 1, "out_of_memory": 1}


def test_a_photo_from_too_far_away_has_a_reason_of_its_own(admin: Client) -> None:
    rejected()
    rejected("too_far")
    rejected("too_far")
    assert last_day().rejections == {"not_a_scalp": 1, "too_far": 2}
    assert re.search(r'code=too_far[^"]*">too_far</a></th>\s*<td class="n">2</td>', admin.get(DASHBOARD).text)


def test_times_are_the_median_and_p95_of_photos_with_a_result() -> None:
    for number in range(1, 21):
        came(succeeded(), NOON, wait=number, whole=10 * number)
    came(failed(), NOON, wait=500, whole=5000)
    queued()
    seen = last_day(NOON)
    assert seen.queue_wait == Durations(21, pytest.approx(11, abs=0.01), pytest.approx(20, abs=0.01))
    assert seen.end_to_end == Durations(20, pytest.approx(100, abs=0.01), pytest.approx(190, abs=0.01))
    assert seen.hours[-1].queue_wait == seen.queue_wait
    assert seen.hours[0].queue_wait == Durations(0, None, None)


def test_findings_of_demo_weights_are_kept_apart() -> None:
    succeeded((0, 1, 2, 3, 0, 0))
    real = succeeded((3, 1, 2, 3, 0, 0))
    Analysis.objects.filter(pk=real.pk).update(demo=False)
    Finding.objects.filter(analysis=real, symptom="hair_loss").update(abstains=True)
    seen = last_day()
    assert seen.grades[0].counts == (0, 0, 0, 1)
    assert (seen.grades[5].counts, seen.grades[5].abstained) == ((0, 0, 0, 0), 1)
    assert seen.grades_of_demo[0].counts == (1, 0, 0, 0)
    assert sum(sum(one.counts) + one.abstained for one in seen.grades) == 6


def test_a_day_without_photos_has_nothing_and_no_error() -> None:
    seen = last_day()
    assert not seen.today
    assert seen.grades == seen.grades_of_demo == ()
    assert seen.queue_wait == Durations(0, None, None)


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(admin: Client, worker: Worker) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(DASHBOARD).status_code == 200
        return len(queries)

    worker()
    succeeded()
    few = asked()
    for _ in range(5):
        succeeded()
        rejected()
    assert asked() == few


def test_no_question_goes_through_all_rows() -> None:
    with CaptureQueriesContext(connection) as queries:
        last_day()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # A table of no rows is read whole, if it may be.
        for query in queries:
            explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{explain} {query['sql']}")
            plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
            assert "Seq Scan" not in plan, plan
            assert not re.search(r"SCAN analyses_\w+(?! USING)", plan), plan
            assert "analysis_created" in plan, plan


# What is shown


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_opens_with_and_without_rows(admin: Client, worker: Worker, language: str) -> None:
    assert admin.get(DASHBOARD, headers={"Accept-Language": language}).status_code == 200
    worker()
    for make in IN_STATUS.values():
        make()
    page = admin.get(DASHBOARD, headers={"Accept-Language": language})
    assert page.status_code == 200
    assert f'<html lang="{language}"' in page.text
    title = {"ko": "체험용 가중치의 징후", "en": "Findings from demo weights"}[language]
    assert title in page.text
    assert "model@one" in page.text


def test_each_plot_has_a_description_and_no_inline_style(admin: Client) -> None:
    succeeded()
    text = admin.get(DASHBOARD).text
    plots = re.findall(r"<svg class=\"plot\".*?</svg>", text, re.DOTALL)
    assert len(plots) == 3
    assert all('role="img" aria-label="' in plot for plot in plots)
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)", text.split('<div id="content"')[1])


def test_every_link_leads_to_the_rows_that_were_counted(admin: Client) -> None:
    for make in IN_STATUS.values():
        make()
    rejected("too_dark")
    text = admin.get(DASHBOARD).text
    rows = re.findall(r'<a href="(/admin/analyses/[^"]+)">[^<]+</a></th>((?:\s*<td class="n">\d+</td>)+)', text)
    assert len(rows) == len(Status) + 3 + 6 + 1
    for address, counts in rows:
        page = admin.get(html.unescape(address))
        assert page.status_code == 200, address
        assert page.context["cl"].result_count == sum(map(int, re.findall(r"\d+", counts))), address


def test_the_way_there_is_on_the_first_page_and_flower_is_on_it(admin: Client, settings: Any) -> None:
    settings.FLOWER_URL = "/flowers-elsewhere/"
    assert f'href="{DASHBOARD}"' in admin.get("/admin/").text
    assert 'href="/flowers-elsewhere/"' in admin.get(DASHBOARD).text


# Who may look


def test_only_staff_who_may_look_at_analyses_may_look(client: Client, plain_static: None) -> None:
    assert client.get(DASHBOARD).status_code == 302
    doorkeeper = get_user_model().objects.create_user("doorkeeper", is_staff=True)
    client.force_login(doorkeeper)
    assert client.get(DASHBOARD).status_code == 403
    assert DASHBOARD not in client.get("/admin/").text
    doorkeeper.user_permissions.add(Permission.objects.get(codename="view_analysis"))
    assert client.get(DASHBOARD).status_code == 200
    assert "no-store" in client.get(DASHBOARD)["Cache-Control"]


def test_a_result_without_the_name_of_its_bundle_has_a_link_with_a_text(admin: Client) -> None:
    Analysis.objects.filter(pk=succeeded(demo=False).pk).update(bundle="")
    assert re.search(r'<a href="[^"]*bundle=&amp;[^"]*">–</a>', admin.get(DASHBOARD).text)
