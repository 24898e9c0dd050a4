"""Loading the entries, beside what admins changed."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from backend.questions.models import Entry, EntryText, ReviewerRole, Topic
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


def test_a_review_outlasts_loading_unless_the_texts_change(few: Path) -> None:
    entries_load(few)
    review = {"reviewed_on": date(2026, 12, 1), "reviewed_by_role": ReviewerRole.DERMATOLOGIST}
    Entry.objects.filter(key__in=["doctor-cost", "doctor-find"]).update(**review)
    path = few / "doctor.toml"
    path.write_text(path.read_text().replace("피부과는 어떻게 찾아요?", "두피 병원은 어디에 있나요?"))
    assert entries_load(few).changed == 1
    assert Entry.objects.get(key="doctor-cost").reviewed_on == date(2026, 12, 1)
    changed = Entry.objects.get(key="doctor-find")
    assert (changed.reviewed_on, changed.reviewed_by_role) == (None, "")


def test_a_review_needs_a_date_and_a_role(few: Path) -> None:
    entries_load(few)
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.filter(key="doctor-cost").update(reviewed_on=date(2026, 12, 1))


def test_the_day_that_was_called_a_review_is_read_as_the_last_edit(few: Path) -> None:
    entries_load(few)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE questions_entry SET reviewed = %s", ["2026-10-01"])
    entry = Entry.objects.all()[0]
    assert (entry.edited_on, entry.reviewed_on, entry.reviewed_by_role) == (date(2026, 10, 1), None, "")


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
