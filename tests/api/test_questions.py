"""POST /api/v1/questions/, its pages, and what admins see of it."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from backend.questions.models import Entry, Unanswered
from backend.questions.services.asking import UNANSWERED_RETENTION_DAYS, hide_personal, unanswered_sweep
from backend.questions.services.loading import entries_load
from tests.api.contract import ContractClient
from tests.questions.few import few_entries
from tests.support.analyses import queued, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db]

QUESTIONS = "/api/v1/questions/"


@pytest.fixture(autouse=True)
def loaded(db: None, tmp_path: Path) -> None:
    entries_load(few_entries(tmp_path))


def ask(api: Client, question: str, **more: Any) -> Any:
    return api.post(QUESTIONS, {"question": question, **more}, content_type="application/json")


def test_an_answer_carries_its_source_and_says_that_nobody_reviewed_it(api: ContractClient) -> None:
    answer = ask(api, "What does a visit to a dermatologist cost?")
    assert "no-store" in answer["Cache-Control"]
    told = answer.json()
    assert (told["kind"], told["entry"]["key"], told["by_meaning"]) == ("answer", "doctor-cost", False)
    assert told["entry"]["source"]
    assert told["entry"]["edited_on"] == "2026-11-26"
    assert (told["entry"]["reviewed"], told["entry"]["reviewed_by_role"]) == (None, "")
    assert not any("가" <= letter <= "힣" for letter in told["entry"]["source"])
    assert 0 < len(told["suggestions"]) <= 2
    assert api.get(f"{QUESTIONS}doctor-cost/").json() == told["entry"]


def test_it_is_answered_in_the_language_of_the_reader() -> None:
    told = ask(Client(headers={"accept-language": "ko"}), "피부과 진료비는 얼마나 들어요?").json()
    assert told["entry"]["question"] == "피부과 진료비는 얼마나 들어요?"
    assert "요" in told["entry"]["answer"]


def test_a_red_flag_comes_before_everything_and_is_not_kept(api: ContractClient) -> None:
    told = ask(api, "the pain is too much, I want to die").json()
    assert (told["kind"], told["advice"]["flag"], told["entry"]) == ("red_flag", "life", None)
    assert "109" in told["advice"]["phones"]
    assert not Unanswered.objects.exists()


CRISES = {
    "life": "I want to kill myself",
    "breath": "I dyed my hair and now it's hard to breathe",
    "bleeding": "my scalp won't stop bleeding",
    "injury": "I hit my head and feel dizzy",
    "burn": "I spilled boiling water on my head",
}


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("flag", CRISES)
def test_a_crisis_offers_help_and_nothing_else(flag: str, language: str, plain_static: None) -> None:
    client = Client(headers={"accept-language": language})
    advice = ask(client, CRISES[flag]).json()["advice"]
    assert advice["flag"] == flag
    assert "119" in advice["interpretation"]
    page = client.post("/questions/", {"question": CRISES[flag]}).content.decode()
    [told] = re.findall(r'<section class="card first told".*?</section>', page, re.S)
    assert set(re.findall(r'href="([^"]+)"', told)) == {f"tel:{phone}" for phone in advice["phones"]}
    assert advice["interpretation"] in html.unescape(told)
    assert "<h3>" not in told
    assert ("1577-1366" in advice["phones"]) == (flag == "life")


def test_what_can_wait_for_an_appointment_offers_the_clinics(plain_static: None) -> None:
    page = Client().post("/questions/", {"question": "a round bald patch"}).content.decode()
    [told] = re.findall(r'<section class="card first told".*?</section>', page, re.S)
    assert 'href="/clinics/"' in told


def test_a_review_is_named_with_its_role_until_the_texts_change(plain_static: None) -> None:
    user = get_user_model().objects.create_superuser("moon", password="a long word for tests")
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    entry = Entry.objects.get(key="doctor-cost")
    path = f"/admin/questions/entry/{entry.pk}/change/"

    def save(**changed: str) -> int:
        form = client.get(path).context["adminform"].form
        given = {name: form.initial[name] or "" for name in form.fields} | changed
        return client.post(path, given).status_code

    assert save(reviewed_on="2026-12-01") == 200, "a date without a role is refused"
    assert save(reviewed_on="2026-12-01", reviewed_by_role="dermatologist") == 302
    entry.refresh_from_db()
    assert (entry.reviewed_on, entry.edited, entry.edited_on) == (date(2026, 12, 1), False, date(2026, 11, 26))
    told = client.get(f"{QUESTIONS}doctor-cost/").json()
    assert (told["reviewed"], told["reviewed_by_role"]) == ("2026-12-01", "dermatologist")
    page = " ".join(client.get("/questions/doctor-cost/").content.decode().split())
    assert "Reviewed by a dermatologist on Dec. 1, 2026." in page
    assert "not reviewed" not in page
    assert save(answer_en="Ask the clinic. It depends.") == 302
    entry.refresh_from_db()
    assert (entry.reviewed_on, entry.reviewed_by_role, entry.edited) == (None, "", True)
    assert entry.edited_on == timezone.localdate()


def test_what_is_no_topic_of_ours_is_not_answered(api: ContractClient) -> None:
    told = ask(api, "how many times a day minoxidil").json()
    assert (told["kind"], told["entry"], told["suggestions"]) == ("off_topic", None, [])


def test_what_is_not_known_is_said_and_kept_without_a_person(api: ContractClient) -> None:
    told = ask(api, "quokka 010-1234-5678 me@example.com zebra xylophone").json()
    assert told["kind"] == "unknown"
    kept = Unanswered.objects.get()
    assert kept.text == "quokka … … zebra xylophone"
    fields = {field.name for field in Unanswered._meta.get_fields()}
    assert fields == {"id", "text", "language", "asked_on", "nearest"}


def test_what_was_kept_is_forgotten_in_time() -> None:
    Unanswered.objects.create(text="old", language="ko")
    Unanswered.objects.update(asked_on=timezone.localdate() - timedelta(days=UNANSWERED_RETENTION_DAYS + 1))
    Unanswered.objects.create(text="new", language="ko")
    assert unanswered_sweep() == 1
    assert Unanswered.objects.get().text == "new"


@pytest.mark.parametrize(
    "given", [{}, *({"question": words} for words in (None, "", "  ", "\0", "\x1c\u3000", 3, "x" * 201))]
)
def test_what_is_no_question_is_refused(api: ContractClient, given: dict[str, Any]) -> None:
    answer = api.post(QUESTIONS, given, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "question_missing")


def test_a_report_gives_context_and_one_that_is_not_there_an_error(api: ContractClient) -> None:
    report, waiting = succeeded(), queued()
    assert ask(api, "when should I see a doctor", analysis=str(report.id)).json()["kind"] in {"answer", "unsure"}
    assert ask(api, "when should I see a doctor", analysis=str(waiting.id)).status_code == 409
    assert ask(api, "when should I see a doctor", analysis="nonsense").status_code == 404


def test_an_entry_that_is_not_there_or_never_answered_is_not_found(api: ContractClient) -> None:
    assert api.get(f"{QUESTIONS}no-such-key/").status_code == 404
    assert api.get(f"{QUESTIONS}drug-dosing/").status_code == 404


def test_whoever_asks_too_often_waits(api: ContractClient, broker: object, settings: Any) -> None:
    settings.QUESTIONS_PER_MINUTE = 3
    answers = [ask(api, "when should I see a doctor") for _ in range(5)]
    assert [answer.status_code for answer in answers].count(429) >= 1
    assert int(answers[-1]["Retry-After"]) <= 60


def test_the_pages_answer_every_kind(plain_static: None) -> None:
    client = Client(headers={"accept-language": "en"})
    assert "Common questions" in client.get("/questions/").content.decode()

    def page(question: str) -> str:
        return client.post("/questions/", {"question": question}).content.decode()

    assert "Last edited on Nov. 26, 2026, not reviewed by a doctor." in " ".join(
        page("What does a visit to a dermatologist cost?").split()
    )
    assert 'href="tel:109"' in page("I want to kill myself")
    assert "not something we answer" in page("how many times a day minoxidil")
    assert "We don’t know" in page("quokka zebra xylophone")
    assert "matching words" not in page("when should I see a doctor")
    assert client.post("/questions/", {"question": ""}).status_code == 422
    assert "cost" in client.get("/questions/doctor-cost/").content.decode()
    assert client.get("/questions/nothing/").status_code == 404


def test_the_page_of_a_report_names_its_signs_and_begins_with_them(plain_static: None) -> None:
    client = Client(headers={"accept-language": "en"})
    page = client.get(f"/analyses/{succeeded().id}/questions/").content.decode()
    assert "Excess sebum – Severe" in page
    first = page.split("Common questions")[1]
    assert 'href="/questions/care-sebum/"' in first.split("</li>")[0]
    assert client.get(f"/analyses/{queued().id}/questions/").status_code == 409


def test_admins_put_an_answer_in_other_words(plain_static: None) -> None:
    user = get_user_model().objects.create_user("moon", password="a long word for tests", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_entry", "change_entry", "view_unanswered"]))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    entry = Entry.objects.get(key="doctor-cost")
    path = f"/admin/questions/entry/{entry.pk}/change/"
    form = client.get(path).context["adminform"].form
    given = {name: form.initial[name] or "" for name in form.fields} | {"question_en": "Price of the skin doctor?"}
    assert client.post(path, given).status_code == 302
    entry.refresh_from_db()
    assert entry.edited
    assert entry.texts.filter(text="Price of the skin doctor?").exists()
    ask(client, "quokka zebra xylophone")
    assert "quokka zebra xylophone" in client.get("/admin/questions/unanswered/").content.decode()


@pytest.mark.parametrize(
    "personal",
    [
        "010.1234.5678",
        "010/1234/5678",
        "010\u20131234\u20135678",
        "010 1234 5678".translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)}),
        "\u2460\u2461\u2462\u2463\u2464\u2465\u2466",
        "".join(f"{digit}\ufe0f\u20e3" for digit in "0101234"),
        "공일공 일이삼사 오육칠팔",
        "공일공-1234-오육칠팔",
        "010 다시 1234 다시 5678",
        "zero one zero one two three four",
        "010a1234b5678",
        "me (at) example.com",
        "me at example dot com",
        "나 골뱅이 네이버 닷 컴",
        "www.example.com/me",
    ],
)
def test_numbers_and_addresses_of_a_person_are_hidden_in_any_spelling(personal: str) -> None:
    hidden = hide_personal(f"zqxv {personal} xqz?")
    assert not set(hidden) & set("0123456789공삼육칠팔@")
    assert not re.search("example|네이버|three", hidden)


@pytest.mark.parametrize(
    "question",
    [
        "I am 45 and lost 3 cm at 2 places since 2019",
        "3개월 4번 5일 쉬었어요",
        "일이 많아 이사 오고 나서 두피가 이상해요",
    ],
)
def test_other_numbers_stay_in_a_question(question: str) -> None:
    assert hide_personal(question) == question
