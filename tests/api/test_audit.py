"""What staff did is noted: who, when, what, on which analysis; and it stays when the analysis has gone."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.forms import BooleanField
from django.test import Client
from django.utils import timezone

from backend.analyses.models import Analysis
from tests.api.test_admin import ANALYSES, HUMANS, act, shown
from tests.support.analyses import IN_STATUS, queued, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

LOG = "/admin/admin/logentry/"
PASSWORD = "correct horse battery staple"
#: What people state about themselves, as rows and exports have it.
ANSWERS = re.compile(r"female|30s|여|30대")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """What our logs said of staff, as dictionaries."""
    caplog.set_level(logging.INFO, logger="backend.operations.audit")
    return lambda: [record.msg for record in caplog.records if record.name == "backend.operations.audit"]


def noted() -> list[tuple[str, str, str]]:
    """User, act and row of each entry, the first one first."""
    entries = LogEntry.objects.select_related("user").order_by("id")
    return [(entry.user.get_username(), entry.change_message, entry.object_id or "") for entry in entries]


@pytest.mark.parametrize(("action", "status"), [("cancel", "queued"), ("retry", "failed"), ("erase", "succeeded")])
def test_each_action_on_an_analysis_is_noted_with_its_id(admin: Client, lines: Any, action: str, status: str) -> None:
    analysis = IN_STATUS[status]()
    begun = timezone.now()
    act(admin, action, analysis)
    assert noted()[-1] == ("admin", action, str(analysis.pk))
    entry = LogEntry.objects.latest("id")
    assert begun <= entry.action_time <= timezone.now()
    assert entry.content_type.model_class() is Analysis
    line = lines()[-1]
    assert (line["event"], line["action"], line["row"]) == ("staff_action", action, str(analysis.pk))
    assert line["staff"] == entry.user_id
    assert not ANSWERS.search(f"{noted()} {lines()}")


def test_what_was_done_to_an_erased_analysis_is_still_there_to_be_read(admin: Client) -> None:
    analysis = succeeded()
    act(admin, "erase", analysis)
    assert not Analysis.objects.exists()
    found = shown(admin.get(LOG, {"q": str(analysis.pk)}))
    assert [(entry.change_message, entry.object_id) for entry in found] == [("erase", str(analysis.pk))]


def test_what_could_not_be_done_is_not_noted(admin: Client) -> None:
    before = noted()
    act(admin, "retry", succeeded())
    assert noted() == before


def test_an_action_that_can_not_be_noted_is_not_done(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    analysis = queued()

    def no_more(**_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(LogEntry.objects, "create", no_more)
    with pytest.raises(OSError, match="no space left"):
        act(admin, "cancel", analysis)
    assert Analysis.objects.get().status == "queued"


def test_an_export_is_noted_with_what_and_how_much_and_nothing_of_it(admin: Client, lines: Any) -> None:
    succeeded()
    form = admin.get(f"{HUMANS}export/").context["form"]
    csv = next(value for value, name in form.fields["format"].choices if name == "csv")
    columns = {name: "on" for name, field in form.fields.items() if isinstance(field, BooleanField)}
    assert admin.post(f"{HUMANS}export/", {"format": csv, "resource": "0", **columns}).status_code == 200
    assert noted()[-1] == ("admin", "export rows=1", "")
    assert LogEntry.objects.latest("id").content_type.model == "human"
    assert lines()[-1]["rows"] == 1
    assert not ANSWERS.search(f"{noted()} {lines()}")


def test_logins_that_failed_and_those_that_did_not_are_noted(client: Client, plain_static: None, lines: Any) -> None:
    admin = get_user_model().objects.create_superuser("admin", password=PASSWORD)
    client.post("/admin/login/", {"username": "admin", "password": "wrong"})
    client.post("/admin/login/?next=/admin/", {"username": "admin", "password": PASSWORD})
    client.post("/admin/logout/")
    assert noted() == [("admin", word, str(admin.pk)) for word in ("fail to log in", "log in", "log out")]
    assert not re.search("wrong|horse", f"{noted()} {lines()}")


def test_of_a_name_that_is_nobody_s_nothing_is_kept(client: Client, plain_static: None, lines: Any) -> None:
    client.post("/admin/login/", {"username": "my-password-by-mistake", "password": "admin"})
    assert noted() == []
    assert [line["event"] for line in lines()] == ["login_failed_unknown_user"]
    assert "mistake" not in str(lines())


def test_the_notes_are_read_and_neither_written_nor_deleted(admin: Client) -> None:
    act(admin, "cancel", queued())
    entry = LogEntry.objects.latest("id")
    assert entry in shown(admin.get(LOG))
    assert admin.get(f"{LOG}add/").status_code == 403
    for way in ("delete", "change"):
        assert admin.post(f"{LOG}{entry.pk}/{way}/", {"post": "yes", "change_message": "nothing"}).status_code == 403
    act_on_notes = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    admin.post(LOG, act_on_notes)
    assert LogEntry.objects.get(pk=entry.pk).change_message == "cancel"


def test_an_account_with_audit_entries_cannot_be_deleted(admin: Client) -> None:
    helper = get_user_model().objects.create_superuser("helper", password=PASSWORD)
    other = Client()
    other.force_login(helper)
    admin.post(f"/admin/auth/user/{helper.pk}/delete/", {"post": "yes"})
    assert get_user_model().objects.filter(pk=helper.pk).exists()
    assert LogEntry.objects.filter(user=helper).exists()


def test_only_who_may_read_the_notes_reads_them(client: Client, plain_static: None) -> None:
    looker = get_user_model().objects.create_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_analysis"))
    client.force_login(looker)
    assert client.get(ANALYSES).status_code == 200
    assert client.get(LOG).status_code == 403
    looker.user_permissions.add(Permission.objects.get(codename="view_logentry"))
    assert client.get(LOG).status_code == 200
