"""Questions that name an illness: not whether it is one, but what to watch for and when to go."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from backend.questions.illnesses import named_illness
from backend.questions.models import Entry, Topic
from backend.questions.retrieval.terms import detect_language
from backend.questions.selectors.answering import question_answer
from backend.questions.services.loading import entries_load

QUESTIONS = tomllib.loads(Path(__file__).with_name("illnesses.toml").read_text("utf-8"))
RULES = tomllib.loads((Path(named_illness.__code__.co_filename).with_name("illnesses.toml")).read_text("utf-8"))


@pytest.mark.django_db
def test_an_illness_by_name_has_its_own_answer(by_meaning: bool) -> None:
    entries_load()
    keys = set(Entry.objects.filter(topic=Topic.ILLNESS).values_list("key", flat=True))
    assert keys == {rule["key"] for rule in RULES["illness"]} == set(QUESTIONS["asked"])
    wrong = []
    for key, asked in QUESTIONS["asked"].items():
        for question in asked:
            answer = question_answer(question, detect_language(question))
            if answer.entry is None or answer.entry.key != key:
                wrong.append((key, question, answer.kind, answer.flag or answer.nearest))
    assert wrong == []
    for question in QUESTIONS["elsewhere"]["questions"]:
        answer = question_answer(question, detect_language(question))
        assert answer.entry is None or answer.entry.topic != Topic.ILLNESS, question


@pytest.mark.django_db
def test_each_says_that_a_photo_cannot_tell_and_who_can() -> None:
    entries_load()
    for entry in Entry.objects.filter(topic=Topic.ILLNESS):
        assert re.match(r"A photo and a text can't tell whether it is .+; a (dermatologist|doctor)", entry.answer_en)
        assert re.match(r".+사진과 글로는 알 수 없고, .*(의사|약사)", entry.answer_ko), entry.key
        assert re.search(r"\b(today|this week|dermatologist)\b", entry.answer_en.split("; ", 1)[1]), entry.key
