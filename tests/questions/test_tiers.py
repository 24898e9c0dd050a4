"""When to see a doctor: what the report says, the red flags and the answers to questions agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from django.utils.translation import override

from backend.analyses.presentation.doctor_tiers import TIERS
from backend.questions.advice import ADVICE
from backend.questions.localization import localize_entry
from backend.questions.red_flags import RedFlag
from backend.questions.selectors.answering import AnswerKind, question_answer
from backend.questions.services.loading import entries_load

ASKED = tomllib.loads(Path(__file__).with_name("tiers.toml").read_text("utf-8"))
#: How each tier is said.
URGENCY = {
    "emergency": {"ko": r"지금 119|119에 전화|119를 부르", "en": r"call 119"},
    "today": {"ko": r"오늘", "en": r"\btoday\b"},
    "soon": {"ko": r"이번 주", "en": r"\bthis week\b"},
    "self_care": {"ko": r"4주", "en": r"\bfour weeks\b"},
}
LANGUAGES = ("ko", "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("flag", RedFlag)
def test_advice_names_each_of_its_tiers(flag: RedFlag, language: str) -> None:
    advice = ADVICE[flag]
    with override(language):
        words = f"{advice.heading} {advice.text}"
    assert advice.tiers
    for tier in advice.tiers:
        assert re.search(URGENCY[tier][language], words, re.IGNORECASE), (tier, words)
        assert tier != "emergency" or "119" in advice.phones


def test_every_case_of_a_tier_is_asked_in_both_languages() -> None:
    with override("en"):
        assert set(ASKED) == {str(case) for tier in TIERS for case in tier.cases}
    assert all(asked[language] for asked in ASKED.values() for language in LANGUAGES)


@pytest.mark.django_db
def test_each_case_gets_an_answer_of_the_same_urgency(by_meaning: bool) -> None:
    entries_load()
    wrong = []
    with override("en"):
        tier_of_case = {str(case): tier for tier in TIERS for case in tier.cases}
    for case, asked in ASKED.items():
        tier = tier_of_case[case]
        for language in LANGUAGES:
            for question in asked[language]:
                answer = question_answer(question, language)
                if answer.flag:
                    agrees = tier.key in ADVICE[answer.flag].tiers
                else:
                    text = localize_entry(answer.entry, language).answer if answer.entry else ""
                    agrees = tier.key != "emergency" and bool(re.search(URGENCY[tier.key][language], text, re.I))
                if not agrees or (tier.phone and answer.kind != AnswerKind.RED_FLAG):
                    wrong.append((tier.key, question, answer.kind, answer.flag or answer.nearest))
    assert wrong == []
