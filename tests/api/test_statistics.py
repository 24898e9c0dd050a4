"""GET /api/v1/statistics/, /api/v1/analyses/ID/statistics/, their pages, and the table of the staff."""

from __future__ import annotations

import csv
import io
import re
import uuid
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from backend.analyses.models import Age, Sex
from backend.statistics.services.publishing import statistics_publish
from ml.labels import ABSTENTIONS, Abstention
from tests.api.contract import ContractClient
from tests.support.analyses import queued, succeeded
from tests.support.humans import analyzed, humans

pytestmark = [pytest.mark.database, pytest.mark.django_db]

STATISTICS = "/api/v1/statistics/"


def test_a_group_is_told_by_shares_that_add_up(api: ContractClient) -> None:
    humans(70, "지성", "경증")
    humans(30, "탈모성", "중증")
    statistics_publish()
    told = api.get(STATISTICS, {"sex": "female", "age": "30s"}).json()
    assert told["demo"] is False
    group = told["group"]
    assert (group["sex"], group["age"], group["median"]) == ("female", "30s", 1)
    assert group["results"] == pytest.approx(100, abs=12)
    assert sum(one["share"] for one in group["types"]) == pytest.approx(1, abs=0.01)
    assert [one["share"] for one in group["degrees"]] == pytest.approx([0, 0.7, 0, 0.3], abs=0.07)
    assert api.get(STATISTICS).json()["group"]["results"] == group["results"], "the only group that is shown"
    assert api.get(STATISTICS, {"sex": "male"}).json()["group"] is None


def test_before_anything_is_counted_nothing_is_shown(api: ContractClient) -> None:
    assert api.get(STATISTICS).json() == {"published_at": None, "demo": False, "group": None}


@pytest.mark.parametrize("query", [{"sex": "man"}, {"age": "30"}, {"sex": ""}, {"age": "30대"}])
def test_a_group_that_does_not_exist_is_refused(api: ContractClient, query: dict[str, str]) -> None:
    answer = api.get(STATISTICS, query)
    assert (answer.status_code, answer.json()["code"]) == (422, "group_unknown")


def test_a_result_is_told_where_it_stands(api: ContractClient) -> None:
    mine = succeeded()  # oily, severe
    humans(60, "지성", "경증")
    humans(39, "지성", "중증")
    statistics_publish()
    answer = api.get(f"/api/v1/analyses/{mine.id}/statistics/")
    assert "no-store" in answer["Cache-Control"]
    place = answer.json()["place"]
    assert (place["type"], place["degree"], place["higher"]) == ("oily", 3, 0)
    assert (place["lower"], place["same"]) == pytest.approx((0.6, 0.4), abs=0.08)
    assert answer.json()["group"]["age"] == "30s"


def test_where_nothing_is_shown_a_result_has_no_place(api: ContractClient) -> None:
    mine = succeeded()
    statistics_publish()
    told = api.get(f"/api/v1/analyses/{mine.id}/statistics/").json()
    assert (told["group"], told["place"]) == (None, None)


def test_without_a_report_there_is_no_place(api: ContractClient) -> None:
    assert api.get(f"/api/v1/analyses/{queued().id}/statistics/").status_code == 409
    assert api.get(f"/api/v1/analyses/{uuid.uuid4()}/statistics/").status_code == 404


def test_the_pages_answer_in_every_state(plain_static: None) -> None:
    mine, waiting = succeeded(), queued()
    client = Client(headers={"accept-language": "en"})
    empty = client.get("/statistics/").content.decode()
    assert "Sample figures." in empty
    assert "There is nothing to compare with yet" in empty
    assert "results" not in empty.split('class="eyebrow"')[1].split("</p>")[0]
    own = client.get(f"/analyses/{mine.id}/statistics/").content.decode()
    assert "There is nothing to compare with yet" in own
    assert "Sample" not in own
    humans(100, sex=Sex.FEMALE, age=Age.FORTIES)
    statistics_publish()
    page = client.get("/statistics/?sex=female&age=40s").content.decode()
    assert re.search(r"The most common severity in this group is “Mild”: (9\d|100) of 100 results\.", page)
    assert "Sample figures." not in page
    assert "by-age" not in page, "one row is not a comparison"
    small = client.get("/statistics/?sex=female&age=70s").content.decode()
    assert "fewer than 20 results for the group you chose, so this is a wider one: Female · all ages." in small
    assert client.get("/statistics/?sex=nobody&age=900").status_code == 200
    own = client.get(f"/analyses/{mine.id}/statistics/")
    assert "no-store" in own["Cache-Control"]
    assert "so this is a wider group." in own.content.decode()
    assert "Of 100 results in this group" in own.content.decode()
    assert client.get(f"/analyses/{waiting.id}/statistics/").status_code == 409
    assert client.get(f"/analyses/{uuid.uuid4()}/statistics/").status_code == 404


@pytest.mark.parametrize("reason", ABSTENTIONS)
def test_a_result_whose_type_is_open_has_no_place(api: ContractClient, plain_static: None, reason: Abstention) -> None:
    mine = succeeded((0, 1, 0, 0, 0, 2), unrated={"hair_loss": reason})
    humans(100)
    statistics_publish()
    assert api.get(f"/api/v1/analyses/{mine.id}/statistics/").json()["place"] is None
    page = Client(headers={"accept-language": "en"}).get(f"/analyses/{mine.id}/statistics/").content.decode()
    assert "can’t be compared with the others" in page
    assert "Of 100 results" not in page
    assert "is-own" not in page


def staff(*permissions: str) -> Client:
    user = get_user_model().objects.create_user("sun", password="a long word for tests", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def test_staff_filter_look_and_export(plain_static: None) -> None:
    analyzed(humans(30, "지성", "경증"), datetime(2026, 10, 3, tzinfo=UTC))
    analyzed(humans(5, "건성", "중증", sex=Sex.MALE), datetime(2026, 11, 3, tzinfo=UTC))
    statistics_publish()
    client = staff("view_tally")
    address = "/admin/statistics/tally/"
    page = client.get(address).content.decode()
    assert "35 results, counted exactly" in page
    assert 'class="plot"' in page
    assert "5 results, counted exactly" in client.get(f"{address}?sex__exact=male").content.decode()
    assert "30 results, counted exactly" in client.get(f"{address}?month=2026-10-01").content.decode()
    exported = client.post(f"{address}export/?sex__exact=male", {"format": "0", **dict.fromkeys(
        ("tallyresource_month", "tallyresource_demo", "tallyresource_sex", "tallyresource_age", "tallyresource_skin",
         "tallyresource_pred", "tallyresource_count"), "on"), "resource": ""})  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))
    assert [(row["month"], row["sex"], row["skin"], row["pred"], row["count"]) for row in rows] == [
        ("2026-11-01", "male", "dry", "3", "5")
    ]


def test_before_the_first_count_staff_are_told_so(plain_static: None) -> None:
    assert "Nothing has been counted yet" in staff("view_tally").get("/admin/statistics/tally/").content.decode()


def test_whoever_may_not_look_at_statistics_does_not(plain_static: None) -> None:
    assert staff("view_analysis").get("/admin/statistics/tally/").status_code == 403
