"""/admin/: rows for people of the house, and what they may do with them."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.forms import BooleanField
from django.test import Client

from backend.analyses.models import Analysis, Erasure, Finding, Human
from backend.operations.spreadsheets import safe_cell
from backend.questions.models import Unanswered
from tests.api.conftest import Worker
from tests.support.analyses import IN_STATUS, failed, fresh, queued, rejected, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db]

ANALYSES, FINDINGS, HUMANS = "/admin/analyses/analysis/", "/admin/analyses/finding/", "/admin/analyses/human/"
WORKERS = "/admin/operations/worker/"
LISTS = [ANALYSES, FINDINGS, HUMANS, WORKERS]


def act(admin: Client, action: str, *chosen: Analysis) -> Any:
    """Choose rows of the list and an action, as the page does."""
    form = {"action": action, "_selected_action": [str(analysis.pk) for analysis in chosen]}
    return admin.post(ANALYSES, form, follow=True)


def shown(page: Any) -> list[Any]:
    """The rows of a list."""
    return list(page.context["cl"].result_list)


# Looking


@pytest.mark.parametrize("path", ["/admin/", *LISTS])
def test_a_page_without_rows_opens(admin: Client, path: str) -> None:
    assert admin.get(path).status_code == 200


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("path", LISTS)
def test_a_page_with_rows_of_every_status_opens(admin: Client, worker: Worker, path: str, language: str) -> None:
    worker()
    rows = {name: make() for name, make in IN_STATUS.items()}
    page = admin.get(path, headers={"Accept-Language": language})
    assert page.status_code == 200
    assert len(shown(page)) == {ANALYSES: len(rows), FINDINGS: 6, HUMANS: 1, WORKERS: 1}[path]


@pytest.mark.parametrize("status", IN_STATUS)
def test_an_analysis_can_be_read_and_not_be_written(admin: Client, status: str) -> None:
    analysis = IN_STATUS[status]()
    address = f"{ANALYSES}{analysis.pk}/change/"
    page = admin.get(address)
    assert page.status_code == 200
    assert page.text.count("fine_scaling") == (1 if status == "succeeded" else 0)
    assert analysis.photo == "" or analysis.photo not in page.text
    assert admin.post(address, {"status": "succeeded"}).status_code == 403
    assert fresh(analysis).status == status


@pytest.mark.parametrize("path", LISTS)
def test_rows_are_neither_added_nor_deleted_by_hand(admin: Client, worker: Worker, path: str) -> None:
    worker()
    succeeded()
    assert shown(admin.get(path))
    assert admin.get(f"{path}add/").status_code == 403
    assert "delete_selected" not in admin.get(path).text


def test_somebody_who_is_not_of_the_house_is_sent_to_the_login(client: Client, plain_static: None) -> None:
    for path in ["/admin/", *LISTS]:
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path}")
    assert client.get("/admin/login/").status_code == 200


# Searching and filtering


def test_an_analysis_is_found_by_its_id_whole_or_in_part(admin: Client) -> None:
    wanted, _other = queued(), queued()
    for query in (str(wanted.id), str(wanted.id)[:13], str(wanted.id).upper()):
        assert shown(admin.get(ANALYSES, {"q": query})) == [wanted], query


def test_an_analysis_is_found_by_its_human_and_a_human_by_its_words(admin: Client) -> None:
    analysis = succeeded()
    succeeded((0, 0, 0, 0, 0, 0))
    assert analysis in shown(admin.get(ANALYSES, {"q": str(analysis.human_id)}))
    assert shown(admin.get(HUMANS, {"q": "지성"})) == [analysis.human]
    assert len(shown(admin.get(FINDINGS, {"q": str(analysis.id)}))) == 6


@pytest.mark.parametrize("query", ["nobody", "한글", "'; drop table human; --", "%", "_", "9" * 500, '"', "\0", "-"])
@pytest.mark.parametrize("path", [ANALYSES, FINDINGS, HUMANS])
def test_a_search_for_whatever_it_is_answers(admin: Client, path: str, query: str) -> None:
    succeeded()
    assert admin.get(path, {"q": query}).status_code == 200


@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        (ANALYSES, {"status__exact": "failed"}, 1),
        (ANALYSES, {"code": "model_error"}, 1),
        (ANALYSES, {"sex__exact": "male"}, 0),
        (ANALYSES, {"age__exact": "30s"}, 7),
        (ANALYSES, {"demo__exact": "1"}, 2),
        (ANALYSES, {"created_at__year": "2001"}, 0),
        (FINDINGS, {"symptom__exact": "excess_sebum"}, 1),
        (FINDINGS, {"grade__exact": "3"}, 1),
        (FINDINGS, {"abstains__exact": "1"}, 0),
        (FINDINGS, {"abstention__exact": "unproven"}, 0),
        (FINDINGS, {"analysis__bundle": "demo@1.0.0"}, 6),
        (HUMANS, {"skin__exact": "지성", "pred__exact": "중증"}, 1),
        (HUMANS, {"sex__exact": "남"}, 0),
    ],
)
def test_filters_filter(admin: Client, path: str, query: dict[str, str], found: int) -> None:
    for make in IN_STATUS.values():
        make()
    assert len(shown(admin.get(path, query))) == found


def test_photos_from_too_far_away_can_be_filtered(admin: Client) -> None:
    rejected()
    wanted = rejected("too_far")
    assert shown(admin.get(ANALYSES, {"code": "too_far"})) == [wanted]


def test_findings_are_filtered_by_why_they_are_not_rated(admin: Client) -> None:
    succeeded(unrated={"dandruff": "unproven", "hair_loss": "unsure"})
    page = admin.get(FINDINGS, {"abstention__exact": "unproven"})
    assert [finding.symptom for finding in shown(page)] == ["dandruff"]
    assert "not confirmed by real photos" in page.text


@pytest.mark.parametrize("query", [{"status__exact": "nonsense"}, {"o": "99.x"}, {"p": "-1"}, {"nonsense": "1"}])
def test_a_filter_that_is_nonsense_does_no_harm(admin: Client, query: dict[str, str]) -> None:
    queued()
    assert admin.get(ANALYSES, query, follow=True).status_code == 200


# Exporting


@pytest.mark.parametrize(("path", "rows"), [(ANALYSES, 7), (FINDINGS, 6), (HUMANS, 1)])
def test_rows_can_be_exported(admin: Client, path: str, rows: int) -> None:
    for make in IN_STATUS.values():
        make()
    page = admin.get(f"{path}export/")
    assert page.status_code == 200
    form = page.context["form"]
    formats = [value for value, name in form.fields["format"].choices if name == "csv"]
    chosen = {name: "on" for name, field in form.fields.items() if isinstance(field, BooleanField)}
    assert chosen
    answer = admin.post(f"{path}export/", {"format": formats[0], "resource": "0", **chosen})
    assert answer.status_code == 200
    assert "csv" in answer["Content-Type"]
    assert answer.content.startswith(codecs.BOM_UTF8), "Excel would take Hangul for something else"
    table = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(table) == rows
    told = answer.content.decode()
    assert ".jpg" not in told
    assert "fingerprint" not in table[0]


FORMULAS = ["=1+1", "+SUM(1)*cmd|' /C calc'!A0", "-2+3+cmd|x", "@SUM(1)", "\t=1", "\r=1", "  =1", "\u3000=1", "\uff1d1"]


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "tsv", "json", "html", "yaml"])
def test_nothing_that_strangers_write_is_run_in_an_export(admin: Client, file_format: str) -> None:
    for text in (*FORMULAS, "a\x01b\x0b"):
        Unanswered.objects.create(text=text, language="en", nearest="")
    path = "/admin/questions/unanswered/export/"
    form = admin.get(path).context["form"]
    formats = {name: value for value, name in form.fields["format"].choices}
    chosen = {name: "on" for name, field in form.fields.items() if isinstance(field, BooleanField)}
    answer = admin.post(path, {"format": formats[file_format], "resource": "0", **chosen})
    assert answer.status_code == 200
    if file_format == "csv":
        cells = [
            cell for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")) for cell in row
        ]
        assert {f"'{text}" for text in FORMULAS} <= set(cells)
    if file_format == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        assert not [cell.value for row in sheet for cell in row if cell.data_type == "f"]


def test_a_cell_is_safe_whatever_its_text() -> None:
    assert [safe_cell(value) for value in (-1.5, "-1.5", "+3e5", None, "a = b")] == [
        -1.5,
        "-1.5",
        "+3e5",
        None,
        "a = b",
    ]
    assert safe_cell("\ud83d x\x00") == "\ufffd x\ufffd"


def test_staff_who_may_not_look_can_not_export_either(client: Client, plain_static: None) -> None:
    client.force_login(get_user_model().objects.create_user("doorkeeper", is_staff=True))
    succeeded()
    for path in (ANALYSES, FINDINGS, HUMANS):
        assert client.get(f"{path}export/").status_code == 403
        assert client.post(f"{path}export/", {"format": "0", "resource": "0"}).status_code == 403


# Acting


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [("cancel", "running", "canceled"), ("cancel", "queued", "canceled"), ("retry", "failed", "queued")],
)
def test_an_action_does_what_its_owner_could_do(admin: Client, action: str, before: str, after: str) -> None:
    analysis = IN_STATUS[before]()
    page = act(admin, action, analysis)
    assert page.status_code == 200
    assert "1 analysis done." in page.text
    assert fresh(analysis).status == after


@pytest.mark.django_db(transaction=True)
def test_erasing_erases_photo_findings_and_human(admin: Client, photos: Callable[[], list[str]]) -> None:
    analysis = succeeded()
    act(admin, "erase", analysis)
    for model in (Analysis, Finding, Human):
        assert not model.objects.exists()
    assert Erasure.objects.filter(pk=analysis.pk).exists()
    assert not photos()


def test_what_can_not_be_done_is_said_and_the_others_are_done(admin: Client) -> None:
    ended, waiting = succeeded(), queued()
    page = act(admin, "cancel", ended, waiting)
    said = {str(message) for message in page.context["messages"]}
    assert said == {
        f"{ended.id}: This analysis has already ended, so there is nothing to cancel.",
        "1 analysis done.",
    }
    assert (fresh(ended).status, fresh(waiting).status) == ("succeeded", "canceled")


def test_staff_who_may_only_look_can_not_act(client: Client, plain_static: None) -> None:
    looker = get_user_model().objects.create_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_analysis"))
    client.force_login(looker)
    analysis = failed()
    assert client.get(ANALYSES).status_code == 200
    for action in ("retry", "cancel", "erase"):
        act(client, action, analysis)
    assert fresh(analysis).status == "failed"
    looker.user_permissions.add(Permission.objects.get(codename="change_analysis"))
    act(client, "retry", analysis)
    assert fresh(analysis).status == "queued"
