"""POST /api/v1/analyses/"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.test.client import encode_multipart
from django.utils import timezone

from backend.analyses.models import Analysis
from tests.api.conftest import Worker
from tests.api.contract import ANALYSES, ContractClient, named
from tests.support.analyses import ANSWERS, IN_STATUS, PHOTO, queued
from tests.support.good_photos import GOOD
from tests.support.pictures import photo_jpeg
from tests.support.refused_photos import REFUSED
from tests.support.threads import at_once

pytestmark = [pytest.mark.database, pytest.mark.django_db]

Photos = Callable[[], list[str]]


def field_errors(response: Any) -> dict[str, str]:
    return {error["field"]: error["code"] for error in response.json()["errors"]}


# Accepted


def test_a_photo_is_accepted_with_an_address_and_a_time_to_ask_again(api: ContractClient, worker: Worker) -> None:
    worker()
    answer = api.submit(device="scope")
    assert answer.status_code == 202
    body = answer.json()
    assert answer["Location"] == f"{ANALYSES}{body['id']}/"
    assert 1 <= int(answer["Retry-After"]) <= 10
    assert (body["status"], body["position"], body["eta_seconds"]) == ("queued", 1, 2)
    assert (body["models_done"], body["models_total"]) == (0, 7)
    assert body["result"] is body["rejection"] is body["failure"] is body["finished_at"] is None
    assert api.get(answer["Location"]).json() == body


def test_what_was_said_is_kept_and_the_photo_stored_under_a_name_of_ours(api: ContractClient, photos: Photos) -> None:
    answer = api.submit(named("../../Kim 1982-03-01.jpg", PHOTO), sex="undisclosed", age="10s", device="phone")
    row = Analysis.objects.get(pk=answer.json()["id"])
    assert (row.sex, row.age, row.device, row.status) == ("undisclosed", "10s", "phone", "queued")
    assert row.consented_at == row.created_at
    assert photos() == [row.photo] == [f"{row.id.hex}.jpg"]


def test_the_device_may_be_left_out(api: ContractClient) -> None:
    assert api.submit(without="device").status_code == 202
    assert api.submit(device="").status_code == 202
    assert set(Analysis.objects.values_list("device", flat=True)) == {""}


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_photo_of_whatever_kind_is_accepted(api: ContractClient, photos: Photos, kind: str) -> None:
    assert api.submit(GOOD[kind]()).status_code == 202
    assert len(photos()) == Analysis.objects.count() == 1


def test_more_than_was_asked_for_is_ignored(api: ContractClient) -> None:
    assert api.submit(status="succeeded", id="mine", 나이="서른").status_code == 202
    assert Analysis.objects.get().status == "queued"


def test_of_two_photos_the_last_one_counts(api: ContractClient, photos: Photos) -> None:
    answer = api.post(ANALYSES, {**ANSWERS, "photo": [named("a.txt", b"no photo"), named("b.jpg", PHOTO)]})
    assert answer.status_code == 202
    assert len(photos()) == 1


# Refused for its answers


@pytest.mark.parametrize(
    ("field", "code"),
    [("photo", "required"), ("sex", "unknown_choice"), ("age", "unknown_choice"), ("consent", "required")],
)
def test_each_field_that_is_missing_is_named(api: ContractClient, photos: Photos, field: str, code: str) -> None:
    answer = api.submit(without=field)
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"
    assert field_errors(answer) == {field: code}
    assert not Analysis.objects.exists()
    assert not photos()


def test_all_that_is_missing_is_named_at_once(api: ContractClient) -> None:
    answer = api.post(ANALYSES)
    assert answer.status_code == 422
    assert set(field_errors(answer)) == {"photo", "sex", "age", "consent"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sex", ""),
        ("sex", "Female"),
        ("sex", "여"),
        ("sex", "male\0"),
        ("sex", "male" * 1000),
        ("age", "0s"),
        ("age", "13"),
        ("age", "90s"),
        ("age", "３０s"),
        ("device", "toaster"),
        ("device", "\0"),
        ("consent", ""),
        ("consent", "false"),
        ("consent", "no"),
        ("consent", "\ud55c\uae00"),
    ],
)
def test_an_answer_that_is_unknown_is_named(api: ContractClient, photos: Photos, field: str, value: str) -> None:
    answer = api.submit(**{field: value})
    assert answer.status_code == 422
    assert set(field_errors(answer)) == {field}
    assert not Analysis.objects.exists()
    assert not photos()


@pytest.mark.parametrize("field", ["sex", "age"])
def test_a_file_is_no_answer(api: ContractClient, field: str) -> None:
    answer = api.submit(**{field: named("male", b"male")})
    assert field_errors(answer) == {field: "unknown_choice"}


def test_a_photo_sent_as_text_is_no_photo(api: ContractClient) -> None:
    assert field_errors(api.submit(photo="data:image/jpeg;base64,/9j/4AAQ")) == {"photo": "required"}


def test_the_errors_are_in_the_language_of_the_reader(api: ContractClient) -> None:
    english, korean = (
        api.submit(without="sex", headers={"Accept-Language": language})
        for language in ("en", "ko-KR,ko;q=0.9,en;q=0.1")
    )
    assert (english["Content-Language"], korean["Content-Language"]) == ("en", "ko")
    assert english.json()["errors"][0]["detail"] == "Please choose your sex, or “rather not say”."
    assert any("가" <= letter <= "힣" for letter in korean.json()["errors"][0]["detail"])
    assert any("가" <= letter <= "힣" for letter in korean.json()["detail"])


# Refused for its photo


@pytest.mark.parametrize("kind", REFUSED)
def test_a_hopeless_photo_is_refused_and_leaves_nothing_behind(api: ContractClient, photos: Photos, kind: str) -> None:
    make, code = REFUSED[kind]
    answer = api.submit(make())
    assert answer.json()["code"] == code
    assert answer.status_code == {
        "photo_too_large": 413,
        "photo_too_many_pixels": 413,
        "photo_type_unsupported": 415,
    }.get(code, 422)
    assert not Analysis.objects.exists()
    assert not photos()


def test_a_too_large_body_is_refused_with_the_text_for_a_large_photo(
    api: ContractClient, photos: Photos, settings: Any
) -> None:
    a_little, far = (api.submit(photo_jpeg() + bytes(over)) for over in (10 * 2**20, settings.BODY_MAX_BYTES + 2**20))
    assert a_little.status_code == far.status_code == 413
    assert far.json() == a_little.json()
    assert far["Content-Language"] == "en"
    assert not photos()


# Refused as a request


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "image/jpeg", "nonsense"])
def test_only_multipart_is_taken(api: ContractClient, kind: str) -> None:
    answer = api.post(ANALYSES, b"sex=male", content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"sex=male"),
        ("multipart/form-data; boundary=", b"sex=male"),
        ("multipart/form-data; boundary=" + "x" * 500, b"sex=male"),
        ("multipart/form-data; boundary=\u00ff", b"sex=male"),
        ("multipart/form-data; boundary=x; encoding=nonsense", b"--x\r\n\r\nmale\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="sex"\r\n\r\nmale'),
        ("multipart/form-data; boundary=x", b"\0" * 4096),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--x--\r\n",
        ),
    ],
)
def test_a_form_that_is_no_form_is_refused(api: ContractClient, photos: Photos, kind: str, body: bytes) -> None:
    assert api.post(ANALYSES, body, content_type=kind).status_code in {400, 415, 422}
    assert not photos()


@pytest.mark.parametrize("charset", ["rot13", "zip", "undefined", "utf-7", "idna", "utf-16", "nonsense"])
def test_a_form_is_read_as_utf_8_whatever_it_says(api: ContractClient, plain_static: None, charset: str) -> None:
    form = encode_multipart("b", {**ANSWERS, "photo": named("a.jpg", PHOTO)})
    kind = f"multipart/form-data; boundary=b; charset={charset}"
    assert api.generic("POST", ANALYSES, form, kind).status_code == 202
    page = api.generic("POST", "/", encode_multipart("b", {"key": "+2AA-"}), kind)
    assert page.status_code == 422


def test_a_form_of_a_thousand_files_or_fields_is_refused(api: ContractClient, caplog: pytest.LogCaptureFixture) -> None:
    assert api.submit(many=[named("a", b"a") for _ in range(1000)]).status_code == 400
    assert api.submit(**{f"field{n}": "a" for n in range(2000)}).status_code == 400
    assert api.submit(sex="male" * 100_000).status_code == 400
    assert not caplog.records  # A refusal writes no line, so a client cannot fill the log.


@pytest.mark.parametrize("address", [ANALYSES, "/"])
@pytest.mark.parametrize(
    "head",
    ["", "\r\n", "form-data\r\n\r\n", "form-data;filename=a\r\n\r\n", "form-data;name=a;filename=.\r\n\r\n"],
    ids=["nothing", "no head", "nameless fields", "nameless files", "files without a name"],
)
def test_a_form_of_parts_without_number_is_refused_at_once(
    api: ContractClient, plain_static: None, address: str, head: str
) -> None:
    """Nameless files, which Django does not count, kept it busy for 14 s."""
    part = f"--b\r\nContent-Disposition:{head}\r\n" if len(head) > 2 else f"--b\r\n{head}"
    began = time.perf_counter()
    answer = api.generic("POST", address, part * (10 * 2**20 // len(part)), "multipart/form-data; boundary=b")
    assert answer.status_code == 400
    assert time.perf_counter() - began < 3


@pytest.mark.parametrize("length", ["nonsense", "-1", "-99999999999", "1e9", "", "١٢٣", "0", "0x10"])
def test_a_length_that_is_nonsense_is_no_error_of_ours(api: ContractClient, length: str) -> None:
    form = {**ANSWERS, "photo": named("a.jpg", PHOTO)}
    answer = api.post(ANALYSES, form, CONTENT_LENGTH=length)
    assert answer.status_code in {400, 413, 422}
    assert not Analysis.objects.exists()


@pytest.mark.parametrize("accept", ["text/html", "text/html, */*;q=0.1"])
def test_it_answers_in_json_whatever_is_accepted(api: ContractClient, accept: str) -> None:
    answer = api.submit(headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (202, "application/json")


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
def test_nobody_gets_a_list(api: ContractClient, method: str) -> None:
    queued()
    answer = getattr(api, method)(ANALYSES)
    assert answer.status_code == 405
    assert answer["Allow"] == "POST, OPTIONS"


class BreaksOff:
    """The line to a phone that has lost its network."""

    def read(self, size: int = -1) -> bytes:
        raise ConnectionResetError(104, "Connection reset by peer")

    readline = read


@pytest.mark.parametrize(("length", "status"), [(1_000, 400), (20_000_000, 413)])
def test_who_breaks_off_in_the_middle_is_no_error_of_ours(
    api: ContractClient, caplog: pytest.LogCaptureFixture, length: int, status: int
) -> None:
    told = {"wsgi.input": BreaksOff(), "CONTENT_LENGTH": str(length)}
    answer = api.generic("POST", ANALYSES, b"x", "multipart/form-data; boundary=b", **told)
    assert answer.status_code == status
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


# The same twice


def test_the_same_key_and_content_is_the_same_analysis(api: ContractClient, photos: Photos) -> None:
    first, second = (api.submit(headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert first["Location"] == second["Location"]
    assert len(photos()) == Analysis.objects.count() == 1


def test_the_same_content_with_another_key_or_none_is_another_analysis(api: ContractClient) -> None:
    keys = [{"Idempotency-Key": "k-1"}, {"Idempotency-Key": "k-2"}, None, None]
    assert len({api.submit(headers=key).json()["id"] for key in keys}) == 4


@pytest.mark.parametrize("change", [{"sex": "male"}, {"age": "40s"}, {"device": "phone"}, {"photo": GOOD["PNG"]()}])
def test_the_same_key_with_other_content_is_refused(api: ContractClient, photos: Photos, change: Any) -> None:
    api.submit(headers={"Idempotency-Key": "k-1"})
    other = api.submit(headers={"Idempotency-Key": "k-1"}, **change)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(photos()) == Analysis.objects.count() == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel", "k\t1", "\x7f"])
def test_a_key_that_is_none_is_refused(api: ContractClient, photos: Photos, key: str) -> None:
    answer = api.submit(headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")
    assert not photos()


def test_the_same_key_still_answers_when_the_queue_is_full(api: ContractClient, settings: Any) -> None:
    first = api.submit(headers={"Idempotency-Key": "k-1"})
    settings.QUEUE_LIMIT = 1
    assert api.submit(headers={"Idempotency-Key": "k-1"}).json() == first.json()


def test_a_key_of_an_erased_analysis_is_free_again(api: ContractClient) -> None:
    first = api.submit(headers={"Idempotency-Key": "k-1"})
    api.delete(first["Location"])
    assert api.submit(headers={"Idempotency-Key": "k-1"}).json()["id"] != first.json()["id"]


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_moment_is_one_analysis(photos: Photos) -> None:
    answers = at_once(lambda: ContractClient().submit(headers={"Idempotency-Key": "k-1"}), times=4)
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(photos()) == Analysis.objects.count() == 1


# Too much


def test_a_full_queue_says_so_and_when_to_come_back(
    api: ContractClient, photos: Photos, worker: Worker, settings: Any
) -> None:
    worker(seconds=20.0)
    settings.QUEUE_LIMIT = 2
    assert [api.submit().status_code for _ in range(3)] == [202, 202, 503]
    full = api.submit()
    assert full.json()["code"] == "queue_full"
    assert full["Retry-After"] == "60"
    assert len(photos()) == Analysis.objects.count() == 2


def test_only_those_that_wait_fill_the_queue(api: ContractClient, settings: Any) -> None:
    settings.QUEUE_LIMIT = 1
    for name, make in IN_STATUS.items():
        if name != "queued":
            Analysis.objects.filter(status="queued").delete()
            make()
    assert api.submit().status_code == 202


def test_too_many_photos_from_one_address_are_refused_for_a_while(
    api: ContractClient, settings: Any, broker: redis.Redis
) -> None:
    settings.SUBMITS_PER_MINUTE = 1
    # Of three within seconds at least two fall into the same minute.
    answers = [api.submit() for _ in range(3)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert answers[0].status_code == 202
    assert refused[0].json()["code"] == "too_many_requests"
    assert 1 <= int(refused[0]["Retry-After"]) <= 60
    assert api.get("/api/v1/queue/").status_code == 200
    assert api.get(answers[0]["Location"]).status_code == 200


# Messages


@pytest.mark.django_db(transaction=True)
def test_a_message_is_sent_once_the_row_is_committed(
    api: ContractClient, sent_messages: Callable[[], list[str]]
) -> None:
    answer = api.submit()
    assert sent_messages() == [answer.json()["id"]]
    assert Analysis.objects.get().notified_at is not None


@pytest.mark.django_db(transaction=True)
def test_an_unexpected_error_in_enqueueing_costs_no_photo(
    api: ContractClient, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(analysis_id: object) -> bool:
        raise RuntimeError("unexpected")

    monkeypatch.setattr("backend.analyses.services.submission.analysis_enqueue", breaks)
    assert api.submit().status_code == 202
    assert photos() == [Analysis.objects.get().photo]


def test_a_key_is_forgotten_after_a_day(api: ContractClient) -> None:
    first = api.submit(headers={"Idempotency-Key": "k-1"}).json()["id"]
    Analysis.objects.update(created_at=timezone.now() - timedelta(hours=23))
    assert api.submit(headers={"Idempotency-Key": "k-1"}).json()["id"] == first
    Analysis.objects.update(created_at=timezone.now() - timedelta(hours=25))
    second = api.submit(headers={"Idempotency-Key": "k-1"}).json()["id"]
    assert second != first
    assert api.submit(headers={"Idempotency-Key": "k-1"}).json()["id"] == second
