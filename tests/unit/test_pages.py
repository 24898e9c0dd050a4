"""The pages as Django answers them: statuses, headers, words. What a browser makes of them is tests/browser."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import redis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils.translation import override

from backend.analyses.models import Analysis
from backend.analyses.pages.report import Report
from backend.analyses.pages.words import hours_words, seconds_words
from backend.analyses.selectors.status import Result, analysis_status
from backend.analyses.services.attempt import Graded, analysis_claim, analysis_reject, analysis_succeed
from backend.analyses.services.control import analysis_cancel, analysis_erase
from backend.analyses.states import Status
from backend.operations.services import worker_seen
from ml.labels import MODEL_KEYS, SYMPTOMS
from tests.photos import photo_jpeg

pytestmark = pytest.mark.django_db(transaction=True)

PHOTO = photo_jpeg()


@pytest.fixture(autouse=True)
def service(settings: Any, tmp_path: Any) -> None:
    settings.STORAGES = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"Accept-Language": "en"})


def send(visitor: Client, photo: bytes | None = PHOTO, **answers: str) -> HttpResponse:
    given = {"sex": "female", "age": "30s", "consent": "true", "key": str(uuid.uuid4()), **answers}
    upload = {} if photo is None else {"photo": SimpleUploadedFile("photo.jpg", photo, "image/jpeg")}
    return visitor.post("/", {**given, **upload})


def sent(visitor: Client) -> uuid.UUID:
    """A queued analysis."""
    return uuid.UUID(send(visitor)["Location"].split("/")[2])


def graded(grades: tuple[int, ...], *, abstaining: tuple[int, ...] = ()) -> list[Graded]:
    return [
        Graded(symptom.key, grade, (0.25, 0.25, 0.25, 0.25), 0.9, number in abstaining)
        for number, (symptom, grade) in enumerate(zip(SYMPTOMS, grades, strict=True))
    ]


def finish(
    analysis: uuid.UUID, grades: tuple[int, ...], *, abstaining: tuple[int, ...] = (), demo: bool = True
) -> Result:
    claim = analysis_claim(analysis, worker="model@test")
    assert claim
    assert analysis_succeed(claim, graded(grades, abstaining=abstaining), bundle="demo@1", demo=demo)
    result = analysis_status(analysis).result
    assert result
    return result


def test_a_sent_form_leads_to_the_address_of_its_analysis(visitor: Client) -> None:
    answer = send(visitor)
    assert answer.status_code == 303
    assert re.fullmatch(r"/analyses/[0-9a-f-]{36}/", answer["Location"])


def test_the_same_rendering_with_another_photo_is_another_analysis(visitor: Client) -> None:
    first = send(visitor, key="a-rendering")
    again = send(visitor, key="a-rendering")
    other = send(visitor, photo_jpeg(320, 240), key="a-rendering")
    assert first["Location"] == again["Location"] != other["Location"]
    assert Analysis.objects.count() == 2


def test_each_rendering_of_the_form_has_a_key_of_its_own(visitor: Client) -> None:
    keys = {re.search(r'name="key" value="([^"]+)"', visitor.get("/").content.decode())[1] for _ in range(2)}  # type: ignore[index]
    assert len(keys) == 2


def test_every_field_that_does_not_hold_gets_its_sentence(visitor: Client) -> None:
    answer = send(visitor, None, sex="", age="12", consent="")
    assert answer.status_code == 422
    said = re.findall(r'<p class="error" id="(\w+)-error" role="alert">([^<]+)</p>', answer.content.decode())
    assert [field for field, _sentence in said] == ["photo", "sex", "age", "consent"]
    assert not Analysis.objects.exists()


def test_a_full_queue_says_when_to_come_back_and_keeps_the_answers(visitor: Client, settings: Any) -> None:
    settings.QUEUE_LIMIT = 1
    sent(visitor)
    answer = send(visitor)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "Too many photos are waiting" in answer.content.decode()
    assert re.search(r'value="30s" required checked', answer.content.decode())


def test_too_many_photos_from_one_address_are_refused_in_words(visitor: Client, settings: Any) -> None:
    settings.SUBMITS_PER_MINUTE = 1
    redis.Redis.from_url(settings.CELERY_BROKER_URL).flushdb()
    answers = [send(visitor) for _ in range(3)]  # Three, since a minute may end between the first two.
    assert answers[0].status_code == 303
    assert answers[2].status_code == 429
    assert int(answers[2]["Retry-After"]) > 0
    assert "Too many photos came from your address" in answers[2].content.decode()


@pytest.mark.parametrize("page", ["", "erase/"])
def test_a_page_with_an_id_is_kept_nowhere_and_its_address_goes_nowhere(visitor: Client, page: str) -> None:
    address = f"/analyses/{sent(visitor)}/{page}"
    for headers in ({}, {"HX-Request": "true"}):
        answer = visitor.get(address, headers=headers)
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["Referrer-Policy"] == "no-referrer"


def test_an_unknown_address_and_an_erased_one_say_so(visitor: Client) -> None:
    unknown = visitor.get(f"/analyses/{uuid.uuid4()}/")
    assert (unknown.status_code, unknown["Cache-Control"]) == (404, "private, no-store")
    assert "There is no analysis at this address" in unknown.content.decode()
    analysis = sent(visitor)
    analysis_erase(analysis)
    for page in ("", "erase/"):
        erased = visitor.get(f"/analyses/{analysis}/{page}")
        assert erased.status_code == 410
        assert "This analysis was erased" in erased.content.decode()


def test_a_poll_asks_again_after_as_long_as_the_status_says(visitor: Client) -> None:
    analysis = sent(visitor)
    answer = visitor.get(f"/analyses/{analysis}/", headers={"HX-Request": "true"})
    seconds = analysis_status(analysis).retry_after
    assert answer["Retry-After"] == str(seconds)
    assert f'hx-trigger="every {seconds}s' in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_the_last_poll_brings_the_report_and_ends_the_polling(visitor: Client) -> None:
    analysis = sent(visitor)
    finish(analysis, (0, 2, 2, 0, 1, 0))
    answer = visitor.get(f"/analyses/{analysis}/", headers={"HX-Request": "true"})
    assert answer.status_code == 286
    assert answer["HX-Retarget"] == "#content"
    assert "<title>Scalp report" in answer.content.decode()
    assert "hx-get" not in answer.content.decode()
    assert "Retry-After" not in answer


def test_a_poll_of_what_was_erased_loads_the_page_again(visitor: Client) -> None:
    analysis = sent(visitor)
    analysis_erase(analysis)
    answer = visitor.get(f"/analyses/{analysis}/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (410, "true")


def test_a_running_analysis_shows_which_of_the_seven_models_looks(visitor: Client) -> None:
    analysis = sent(visitor)
    Analysis.objects.filter(pk=analysis).update(status=Status.RUNNING, models_done=3)
    page = visitor.get(f"/analyses/{analysis}/").content.decode()
    assert "Model 4 of 7" in page
    assert page.count('class="hair grown"') == 2
    assert page.count('class="hair growing"') == 1


def test_canceling_what_has_ended_changes_nothing_and_says_so(visitor: Client) -> None:
    analysis = sent(visitor)
    finish(analysis, (0, 0, 0, 0, 0, 0))
    answer = visitor.post(f"/analyses/{analysis}/cancel/", follow=True)
    assert "This analysis has already ended" in answer.content.decode()
    assert analysis_status(analysis).status == Status.SUCCEEDED


def test_only_what_can_be_tried_again_offers_it(visitor: Client) -> None:
    canceled, rejected = sent(visitor), sent(visitor)
    analysis_cancel(canceled)
    claim = analysis_claim(rejected, worker="model@test")
    assert claim
    analysis_reject(claim, "not_a_scalp", bundle="demo@1", demo=True)
    assert f"/analyses/{canceled}/retry/" in visitor.get(f"/analyses/{canceled}/").content.decode()
    page = visitor.get(f"/analyses/{rejected}/").content.decode()
    assert "/retry/" not in page
    assert "does not seem to show a scalp" in page


@pytest.mark.parametrize(
    ("code", "said"),
    [("too_dark", "in good light"), ("too_bright", "out of direct light"), ("too_blurred", "Hold still")],
)
def test_a_photo_on_which_nothing_can_be_seen_says_how_to_take_a_better_one(
    code: str, said: str, visitor: Client
) -> None:
    refused = sent(visitor)
    claim = analysis_claim(refused, worker="model@test")
    assert claim
    analysis_reject(claim, code, bundle="demo@1", demo=True)
    page = visitor.get(f"/analyses/{refused}/").content.decode()
    assert said in page
    assert "No scalp to be seen" not in page
    assert "/retry/" not in page


@pytest.mark.parametrize("action", ["cancel", "retry", "erase"])
def test_no_action_without_a_token_of_the_form(action: str, visitor: Client) -> None:
    analysis = sent(visitor)
    stranger = Client(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    answer = stranger.post(f"/analyses/{analysis}/{action}/")
    assert answer.status_code == 403
    assert "Please send it once more" in answer.content.decode()
    assert analysis_status(analysis).status == Status.QUEUED


def test_demo_weights_are_spoken_of_and_others_are_not(visitor: Client) -> None:
    for demo in (True, False):
        analysis = sent(visitor)
        finish(analysis, (1, 0, 0, 0, 0, 0), demo=demo)
        refused = sent(visitor)
        claim = analysis_claim(refused, worker="model@test")
        assert claim
        analysis_reject(claim, "not_a_scalp", bundle="demo@1", demo=demo)
        for judged in (analysis, refused):
            assert ("Demo result." in visitor.get(f"/analyses/{judged}/").content.decode()) is demo


def test_the_report_speaks_the_words_of_the_vocabulary(visitor: Client) -> None:
    result = finish(sent(visitor), (0, 2, 2, 0, 1, 0))
    with override("ko"):
        assert Report(result).sentence == "<em>지루성</em> 두피로 보이고,<br>정도는 <em>중등도</em>예요"
        assert [sign.name for sign in Report(result).signs][:3] == ["피지과다", "모낭사이홍반", "비듬"]
    with override("en"):
        assert "<em>seborrheic</em>" in Report(result).sentence


def test_a_report_whose_deciding_sign_was_held_back_claims_no_degree(visitor: Client) -> None:
    result = finish(sent(visitor), (0, 0, 0, 0, 1, 3), abstaining=(5,))
    with override("en"):
        report = Report(result)
        assert "not certain" in report.sentence
        assert "severe" not in report.sentence
        assert report.signs[-1].name == "Hair loss"
        assert report.signs[-1].grade is None


def test_a_report_that_can_say_nothing_says_that(visitor: Client) -> None:
    result = finish(sent(visitor), (1, 1, 1, 1, 1, 1), abstaining=tuple(range(6)))
    with override("en"):
        assert "does not tell" in Report(result).sentence


def test_times_are_said_as_ranges_and_periods_as_people_say_them() -> None:
    with override("en"):
        assert [seconds_words(seconds) for seconds in (1, 45, 7200)] == [
            "less than 10 seconds", "30 seconds to a minute", "more than half an hour",
        ]  # fmt: skip
        assert [hours_words(hours) for hours in (0.5, 1, 24, 72)] == ["30 minutes", "1 hour", "24 hours", "3 days"]


def test_a_page_says_before_consent_whether_the_models_are_demo_ones(visitor: Client) -> None:
    said = {True: "These are demo models.", None: "The models are resting."}
    for demo in (None, True, False):
        if demo is not None:
            worker_seen("model@one", role="model", models_resident=len(MODEL_KEYS), bundle="any@1", demo=demo)
        page = visitor.get("/").content.decode()
        before, _consent = page.split('name="consent"')
        assert [words for words in said.values() if words in before] == ([said[demo]] if demo in said else [])


def test_a_page_says_before_consent_that_an_ai_looks_and_how_long_the_wait_is(visitor: Client) -> None:
    worker_seen("model@one", role="model", models_resident=len(MODEL_KEYS), photo_seconds=4.0)
    sent(visitor)
    sent(visitor)
    before, _consent = visitor.get("/").content.decode().split('name="consent"')
    assert "An AI of seven models looks at your photo" in before
    assert "2 photos are waiting" in before
    assert "10 to 30 seconds" in before


def test_consent_is_asked_for_by_itself_and_never_ticked_beforehand(visitor: Client) -> None:
    field = re.search(r'<input type="checkbox" name="consent"[^>]*>', visitor.get("/").content.decode())
    assert field
    assert "checked" not in field[0]
    assert "required" in field[0]


def test_the_sample_report_says_that_it_is_one(visitor: Client) -> None:
    page = visitor.get("/sample/").content.decode()
    assert "This is a sample." in page
    assert page.count('class="find ') == 6
    assert "Held back" in page
    assert "/erase/" not in page


def test_care_grows_with_the_grade_and_what_is_severe_is_sent_to_a_doctor(visitor: Client) -> None:
    with override("en"):
        for number, symptom in enumerate(SYMPTOMS):
            care = []
            for grade in range(4):
                grades = tuple(grade if place == number else 0 for place in range(6))
                report = Report(finish(sent(visitor), grades))
                sign = next(sign for sign in report.signs if sign.name == symptom.english)
                assert sign.meaning
                care.append(sign.care)
                assert report.severe is (grade == 3)
            assert care[0] == ""
            assert len(set(care)) == 4
            assert "dermatologist" in care[3]


def test_what_is_held_back_gets_no_grade_no_confidence_and_no_care(visitor: Client) -> None:
    analysis = sent(visitor)
    finish(analysis, (0, 0, 0, 0, 0, 2), abstaining=(5,))
    page = visitor.get(f"/analyses/{analysis}/").content.decode()
    row = page[page.index('class="find kx"') :]
    row = row[: row.index("</li>")]
    assert "Held back" in row
    assert 'class="on"' not in row
    assert "confidence" not in row
    assert "What you can do" not in row


@pytest.mark.parametrize(
    ("code", "pairs"),
    [("not_a_scalp", 2), ("too_dark", 1), ("too_bright", 1), ("too_blurred", 1)],
)
def test_a_refused_photo_is_answered_with_drawings_of_a_better_one(code: str, pairs: int, visitor: Client) -> None:
    refused = sent(visitor)
    claim = analysis_claim(refused, worker="model@test")
    assert claim
    analysis_reject(claim, code, bundle="demo@1", demo=True)
    assert visitor.get(f"/analyses/{refused}/").content.decode().count('class="pair"') == pairs


def policies(page: HttpResponse) -> dict[str, list[str]]:
    """The directives of a page's content security policy."""
    return {name: allowed for name, *allowed in (part.split() for part in page["Content-Security-Policy"].split(";"))}


def test_no_page_may_run_or_wear_what_stands_in_it_or_ask_another_host(visitor: Client) -> None:
    waiting, reported, refused = sent(visitor), sent(visitor), sent(visitor)
    finish(reported, (0, 1, 2, 3, 0, 0))
    analysis_cancel(refused)
    pages = ["/", "/sample/", "/nowhere/"]
    pages += [f"/analyses/{id}/{page}" for id in (waiting, reported, refused) for page in ("", "erase/")]
    for path in pages:
        page = visitor.get(path)
        policy = policies(page)
        allowed = {source for sources in policy.values() for source in sources}
        assert allowed == {"'self'", "'none'", "data:", "blob:"}, path
        assert policy["default-src"] == ["'self'"]
        assert not {"data:", "blob:"} & set(policy.get("script-src", []) + policy.get("style-src", []))
        html = page.content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", html), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', html), path
        assert '<meta name="referrer"' not in html, path


@pytest.mark.parametrize(
    ("secure", "site", "status"),
    [
        (False, "same-origin", 303),
        (True, "same-origin", 303),
        (False, "cross-site", 403),
        (True, "cross-site", 403),
        (False, None, 303),
        (True, None, 403),
    ],
)
def test_a_form_of_a_page_without_referrer_is_taken_and_a_stranger_s_is_not(
    secure: bool, site: str | None, status: int, visitor: Client
) -> None:
    analysis = sent(visitor)
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(f"/analyses/{analysis}/", secure=secure).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    headers = {"Origin": "null"} | ({"Sec-Fetch-Site": site} if site else {})
    given = {"csrfmiddlewaretoken": token[1]}
    answer = browser.post(f"/analyses/{analysis}/cancel/", given, headers=headers, secure=secure)
    assert answer.status_code == status
    assert (analysis_status(analysis).status == Status.CANCELED) is (status == 303)
