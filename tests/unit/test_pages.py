"""The pages as Django answers them: statuses, headers, words. What a browser makes of them is tests/browser."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import redis
from django.test import Client

from backend.analyses.models import Analysis
from backend.analyses.selectors.status import analysis_status
from backend.analyses.services.attempt import analysis_claim, analysis_reject
from backend.analyses.services.control import analysis_cancel, analysis_erase
from backend.analyses.states import Status
from backend.operations.services import record_heartbeat
from ml.labels import MODEL_KEYS
from tests.support.pictures import photo_jpeg
from tests.support.visitors import finish, send, sent

pytestmark = pytest.mark.django_db(transaction=True)


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
    assert re.search(r'value="30s"\s+required checked', answer.content.decode())


def test_too_many_photos_from_one_address_are_refused_in_words(visitor: Client, settings: Any) -> None:
    settings.SUBMITS_PER_MINUTE = 1
    redis.Redis.from_url(settings.CELERY_BROKER_URL).flushdb()
    answers = [send(visitor) for _ in range(3)]  # Three, since a minute may end between the first two.
    assert answers[0].status_code == 303
    assert answers[2].status_code == 429
    assert int(answers[2]["Retry-After"]) > 0
    assert "Too many photos came from your address" in answers[2].content.decode()


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
    assert "found no skin and hair roots" in page


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("too_far", "move closer until skin fills the picture"),
        ("too_dark", "in good light"),
        ("too_bright", "out of direct light"),
        ("too_blurred", "Hold still"),
    ],
)
def test_an_unusable_photo_comes_with_advice_for_a_better_one(code: str, said: str, visitor: Client) -> None:
    refused = sent(visitor)
    claim = analysis_claim(refused, worker="model@test")
    assert claim
    analysis_reject(claim, code, bundle="demo@1", demo=True)
    page = visitor.get(f"/analyses/{refused}/").content.decode()
    assert said in page
    assert "could not recognize a close-up" not in page
    assert "/retry/" not in page


def test_a_page_says_before_consent_whether_the_models_are_demo_ones(visitor: Client) -> None:
    said = {True: "These are demo models.", None: "Checking is paused for now."}
    for demo in (None, True, False):
        if demo is not None:
            record_heartbeat("model@one", role="model", models_resident=len(MODEL_KEYS), bundle="any@1", demo=demo)
        page = visitor.get("/").content.decode()
        before, _consent = page.split('name="consent"')
        assert [words for words in said.values() if words in before] == ([said[demo]] if demo in said else [])


def test_before_consent_a_page_names_the_ai_and_the_waiting_time(visitor: Client) -> None:
    record_heartbeat("model@one", role="model", models_resident=len(MODEL_KEYS), photo_seconds=4.0)
    sent(visitor)
    sent(visitor)
    before, _consent = visitor.get("/").content.decode().split('name="consent"')
    assert "Seven AI models check one photo" in before
    assert "2 photos are waiting" in before
    assert "10 to 30 seconds" in before


def test_consent_is_asked_for_by_itself_and_never_ticked_beforehand(visitor: Client) -> None:
    field = re.search(r'<input type="checkbox"\s+name="consent"[^>]*>', visitor.get("/").content.decode())
    assert field
    assert "checked" not in field[0]
    assert "required" in field[0]


@pytest.mark.parametrize(
    ("code", "pairs"),
    [("not_a_scalp", 2), ("too_far", 1), ("too_dark", 1), ("too_bright", 1), ("too_blurred", 1)],
)
def test_a_refused_photo_is_answered_with_drawings_of_a_better_one(code: str, pairs: int, visitor: Client) -> None:
    refused = sent(visitor)
    claim = analysis_claim(refused, worker="model@test")
    assert claim
    analysis_reject(claim, code, bundle="demo@1", demo=True)
    assert visitor.get(f"/analyses/{refused}/").content.decode().count('class="pair"') == pairs


@pytest.mark.parametrize(("code", "offered"), [("too_far", True), ("not_a_scalp", True), ("too_dark", False)])
def test_only_a_photo_that_may_show_skin_can_be_cropped(code: str, offered: bool, visitor: Client) -> None:
    refused = sent(visitor)
    claim = analysis_claim(refused, worker="model@test")
    assert claim
    analysis_reject(claim, code, bundle="demo@1", demo=True)
    page = visitor.get(f"/analyses/{refused}/").content.decode()
    assert (f'href="/?again={refused}#crop={refused}"' in page) == ('class="closer"' in page) == offered


@pytest.mark.parametrize("code", ["not_a_scalp", "too_far", "too_dark", "too_bright", "too_blurred"])
def test_a_rejection_shows_the_photo_and_ways_on(code: str, visitor: Client) -> None:
    refused = sent(visitor)
    claim = analysis_claim(refused, worker="model@test")
    assert claim
    analysis_reject(claim, code, bundle="demo@1", demo=True)
    page = visitor.get(f"/analyses/{refused}/").content.decode()
    assert f'src="/analyses/{refused}/photo/"' in page
    assert "now and then it rejects a good photo" in page
    assert 'href="/clinics/"' in page[page.index("If something on your scalp worries you") :]
    again = visitor.get(f"/?again={refused}").content.decode()
    assert again.count(" checked") == 3, "sex, age and device as before; consent is asked for again"


@pytest.mark.parametrize("named", ["", "no-id", "00000000-0000-4000-8000-000000000000"])
def test_a_form_for_an_unknown_analysis_has_no_answers(named: str, visitor: Client) -> None:
    assert visitor.get(f"/?again={named}").content.decode().count(" checked") == 0


def test_a_photo_that_is_no_longer_kept_is_not_offered_to_be_cropped(visitor: Client) -> None:
    refused = sent(visitor)
    claim = analysis_claim(refused, worker="model@test")
    assert claim
    analysis_reject(claim, "too_far", bundle="demo@1", demo=True)
    Analysis.objects.filter(pk=refused).update(photo="")
    page = visitor.get(f"/analyses/{refused}/").content.decode()
    assert 'class="closer"' in page
    assert "#crop=" not in page


def test_a_page_that_is_not_there_leads_on(visitor: Client) -> None:
    erased = sent(visitor)
    analysis_erase(erased)
    for address, status in (
        ("/nothing-here/", 404),
        (f"/analyses/{uuid.uuid4()}/", 404),
        (f"/analyses/{erased}/", 410),
    ):
        answer = visitor.get(address)
        assert answer.status_code == status
        main = answer.content.decode().split("<main")[1].split("</main>")[0]
        assert re.findall(r'href="([^"]+)"', main) == ["/", "/history/", "/clinics/"]
