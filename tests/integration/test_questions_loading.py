"""Loading the reviewed entries, beside what admins changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backend.questions.models import Entry, EntryText, Topic
from backend.questions.selectors.answering import AnswerKind, question_answer
from backend.questions.services.loading import entries_load, entry_texts_write
from tests.questions.few import KEYS, few_entries

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def few(tmp_path: Path) -> Path:
    return few_entries(tmp_path)


def test_loading_again_changes_nothing(few: Path) -> None:
    first = entries_load(few)
    assert first.added == len(KEYS)
    assert first.texts == EntryText.objects.count() > 50
    again = entries_load(few)
    assert (again.added, again.changed, again.removed, again.texts) == (0, 0, 0, 0)
    assert EntryText.objects.count() == first.texts


def test_what_another_version_words_otherwise_is_changed_and_found_so(few: Path) -> None:
    entries_load(few)
    path = few / "doctor.toml"
    path.write_text(path.read_text().replace("피부과는 어떻게 찾아요?", "두피 병원은 어디에 있나요?"))
    loaded = entries_load(few)
    assert (loaded.changed, loaded.added, loaded.removed) == (1, 0, 0)
    assert EntryText.objects.filter(text="두피 병원은 어디에 있나요?").exists()
    assert not EntryText.objects.filter(text="피부과는 어떻게 찾아요?").exists()


def test_what_another_version_no_longer_has_goes(few: Path) -> None:
    entries_load(few)
    path = few / "doctor.toml"
    path.write_text(re.sub(r'\[\[entry\]\]\nkey = "doctor-cost".*?(?=\[\[entry\]\])', "", path.read_text(), flags=re.S))
    assert entries_load(few).removed == 1
    assert not Entry.objects.filter(key="doctor-cost").exists()


def test_what_an_admin_changed_stays_whatever_comes(few: Path) -> None:
    entries_load(few)
    Entry.objects.filter(key="doctor-cost").update(answer_ko="우리 말로 고친 답이에요.", edited=True)
    entry_texts_write(Entry.objects.get(key="doctor-cost"))
    assert entries_load(few).kept == 1
    assert Entry.objects.get(key="doctor-cost").answer_ko == "우리 말로 고친 답이에요."
    (few / "doctor.toml").unlink()
    entries_load(few)
    assert list(Entry.objects.filter(topic=Topic.DOCTOR).values_list("key", flat=True)) == ["doctor-cost"]


def test_a_change_is_answered_with_at_once(few: Path) -> None:
    entries_load(few)
    entry = Entry.objects.get(key="doctor-cost")
    before = question_answer("진료비는 얼마나 들어요?", "ko")
    assert before.kind == AnswerKind.ANSWER
    assert before.entry == entry
    entry.question_ko, entry.also_ko = "유니콘 뿔은 얼마예요?", "유니콘 뿔의 값"
    entry.save()
    entry_texts_write(entry)
    assert question_answer("유니콘 뿔은 얼마예요?", "ko").nearest == "doctor-cost"


def test_an_entry_that_lacks_words_in_one_language_is_found_in_the_other(few: Path) -> None:
    entries_load(few)
    entry = Entry.objects.get(key="doctor-cost")
    entry.question_en = entry.also_en = entry.answer_en = ""
    entry.save()
    entry_texts_write(entry)
    assert set(entry.texts.values_list("language", flat=True)) == {"ko"}


def test_without_entries_nothing_is_known() -> None:
    assert question_answer("머리를 매일 감아도 되나요?", "ko").kind == AnswerKind.UNKNOWN
