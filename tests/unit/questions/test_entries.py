"""The answers and the decoys: whole, in both languages, and careful in what they say."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from babel.messages.pofile import read_po

from backend.questions.red_flags import RedFlag
from backend.questions.selectors.answering import KEY_PARTS_BY_SIGN, POPULAR_ENTRIES
from tests.support.environment import ROOT

FOLDER = ROOT / "backend" / "questions" / "entries"
TOPICS = ("signs", "care", "photos", "service", "data", "doctor", "illness")
LANGUAGES = ("ko", "en")
#: What answers quote besides buttons: grades, the signs of clinics, labels, words that are the same in both languages.
NOT_BUTTONS = {
    "Mild", "14 to 19", "14~19세", "한국어", "English", "탈모 증상 완화에 도움",
    "피부과의원", "○○피부과의원", "의원", "○○의원", "진료과목 피부과",
}  # fmt: skip

# Named nowhere in an entry, be it a question or an answer: who asks about one has left what we may answer.
DRUGS = re.compile(
    r"minoxidil|finasteride|dutasteride|spironolactone|ketoconazole|ciclopirox|clobetasol|steroid|isotretinoin"
    r"|pyrithione|selenium sul|salicylic|coal tar|antibiotic|antifungal"
    r"|미녹시딜|피나스테리드|두타스테리드|스피로노락톤|케토코나졸"
    r"|시클로피록스|클로베타솔|스테로이드|이소트레티노인"
    r"|징크\s?피리치온|살리실산|콜타르|항생제|항진균|프로페시아|아보다트",
    re.IGNORECASE,
)
# In no answer: people may ask for a cure, we promise none. "Not a diagnosis" is what we do say.
PROMISES = {
    "ko": re.compile(
        r"치료|완치|처방|특효|보장|100\s?%|반드시 (낫|나아|좋아)"
        r"|낫게 해 (드|줘)|나을 수 있|진단해 드|진단합"
    ),
    "en": re.compile(
        r"\b(cures?|cured|treat(s|ed|ment|ments)?|prescri\w+|heals?|guarantee\w*|100 ?%|we diagnose|will regrow)\b",
        re.IGNORECASE,
    ),
}
DOSE = re.compile(
    r"\d\s?(mg|ml|㎎|㎖|밀리|정씩|알씩|회 복용|times a day)",
    re.IGNORECASE,
)
#: Entries on what can be serious: their answers have to say whom to see.
SERIOUS = re.compile(
    r"(illness|pustules|redness|hair-loss|itchy|scalp-pain|grade-severe)"
    r"|care-(pustules|redness|hair-loss|itch|dandruff|sebum|dry)"
    r"|(sun|dyeing|new-product|tight-hair|doctor-(now|when|lump|burn|hair|pust|redn|dand|preg))"
)


def entries() -> list[tuple[str, dict[str, Any]]]:
    """Every entry with its topic, which is the name of its file."""
    return [
        (topic, entry)
        for topic in TOPICS
        for entry in tomllib.loads((FOLDER / f"{topic}.toml").read_text("utf-8"))["entry"]
    ]


def decoys() -> list[dict[str, Any]]:
    return tomllib.loads((FOLDER / "decoys.toml").read_text("utf-8"))["decoy"]


def flags() -> list[dict[str, Any]]:
    return tomllib.loads((FOLDER / "red_flags.toml").read_text("utf-8"))["flag"]


def wordings(entry: dict[str, Any], language: str) -> list[str]:
    return [entry[language]["question"], *entry[language]["also"]]


def sentences(answer: str) -> list[str]:
    return re.split(r"(?<=[.?!])\s+", answer)


def answers() -> Iterator[tuple[str, str, str]]:
    for _topic, entry in entries():
        for language in LANGUAGES:
            yield entry["key"], language, entry[language]["answer"]


def test_there_are_at_least_120_and_some_of_each_topic() -> None:
    topics = Counter(topic for topic, _entry in entries())
    assert sum(topics.values()) >= 120
    assert min(topics[topic] for topic in TOPICS) >= 15


def test_no_file_lies_there_that_is_not_read() -> None:
    assert {path.name for path in FOLDER.glob("*.toml")} == {
        f"{name}.toml" for name in (*TOPICS, "decoys", "red_flags")
    }


def test_a_key_is_a_slug_and_names_one_thing() -> None:
    keys = [entry["key"] for _topic, entry in entries()] + [known["key"] for known in (*decoys(), *flags())]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert [key for key in keys if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key)] == []


def test_an_entry_has_both_languages_and_nothing_that_nobody_reads() -> None:
    for _topic, entry in entries():
        assert set(entry) == {"key", "edited_on", "source", *LANGUAGES}, entry["key"]
        for language in LANGUAGES:
            assert set(entry[language]) == {"question", "also", "answer"}, entry["key"]
            assert 3 <= len(entry[language]["also"]) <= 20, entry["key"]


def test_an_entry_says_when_it_was_edited_and_what_it_stands_on() -> None:
    for _topic, entry in entries():
        assert isinstance(entry["edited_on"], date), entry["key"]
        assert date(2026, 11, 26) <= entry["edited_on"], entry["key"]
        assert len(entry["source"]) > 20, entry["key"]
        assert "http" not in entry["source"], entry["key"]


def test_an_answer_is_two_to_five_sentences_in_its_own_language() -> None:
    for key, language, answer in answers():
        assert 2 <= len(sentences(answer)) <= 5, (key, language)
        bare = re.sub(r"“.*?”", "", answer)  # English names a Korean button or sign by its Korean word.
        assert bool(re.search(r"[가-힣]", bare)) == (language == "ko"), key


def test_korean_answers_speak_as_the_pages_do() -> None:
    """해요체: each sentence ends in 요, and none in 니다."""
    wrong = [
        (key, sentence)
        for key, language, answer in answers()
        if language == "ko"
        for sentence in sentences(answer)
        if not re.search(r"요[.?!]$", sentence)
    ]
    assert wrong == []


def test_buttons_that_answers_name_are_there_by_that_name() -> None:
    with (ROOT / "frontend/locale/ko/LC_MESSAGES/django.po").open("rb") as file:
        texts = [message for message in read_po(file) if message.id]
    names = {"en": {str(message.id) for message in texts}, "ko": {str(message.string) for message in texts}}
    quotes = {"en": "“(.+?)”", "ko": "‘(.+?)’"}
    wrong = [
        (key, name)
        for key, language, answer in answers()
        for name in re.findall(quotes[language], answer)
        if name not in NOT_BUTTONS | names[language]
    ]
    assert wrong == []


def test_no_entry_names_a_drug_or_a_dose() -> None:
    for _topic, entry in entries():
        for language in LANGUAGES:
            text = "\n".join([*wordings(entry, language), entry[language]["answer"]])
            assert not DRUGS.search(text), (entry["key"], DRUGS.search(text))
            assert not DOSE.search(text), (entry["key"], DOSE.search(text))


def test_no_answer_promises_a_cure_or_a_diagnosis() -> None:
    for key, language, answer in answers():
        assert not PROMISES[language].search(answer), (key, PROMISES[language].search(answer))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_asked_leads_to_one_place(language: str) -> None:
    """No wording stands under two entries, twice under one, or under an entry and a decoy."""
    asked = [wording for _topic, entry in entries() for wording in wordings(entry, language)]
    asked += [wording for known in (*decoys(), *flags()) for wording in known[language]]
    plain = Counter(re.sub(r"[\W_]+", "", wording).casefold() for wording in asked)
    assert [wording for wording, count in plain.items() if count > 1] == []


def test_decoys_are_enough_and_worded_in_both_languages() -> None:
    assert len(decoys()) >= 25
    for decoy in decoys():
        assert set(decoy) == {"key", *LANGUAGES}, decoy["key"]
        for language in LANGUAGES:
            assert len(decoy[language]) >= 5, (decoy["key"], language)


def test_entries_on_what_can_be_serious_say_whom_to_see() -> None:
    whom = {
        "ko": r"의사|피부과|진료|응급실|산부인과",
        "en": r"doctor|dermatologist|obstetrician|emergency room|ambulance",
    }
    serious = [entry for _topic, entry in entries() if SERIOUS.match(entry["key"])]
    assert len(serious) >= 30
    for entry in serious:
        for language in LANGUAGES:
            assert re.search(whom[language], entry[language]["answer"]), (entry["key"], language)


def test_every_red_flag_is_asked_in_other_words_than_the_rules_have() -> None:
    assert {flag["key"] for flag in flags()} == {flag.value for flag in RedFlag}
    assert min(len(flag[language]) for flag in flags() for language in LANGUAGES) >= 4


def test_what_is_offered_to_begin_with_is_there() -> None:
    wanted = {*POPULAR_ENTRIES, *(f"care-{parts[0]}" for parts in KEY_PARTS_BY_SIGN.values())}
    assert wanted <= {entry["key"] for _topic, entry in entries()}
