"""The held-out questions, by meaning and without: the short form of `python -m tests.questions`."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from backend.questions.models import EntryText
from backend.questions.retrieval import embedding
from backend.questions.services.embeddings import has_stored_embedding
from backend.questions.services.loading import entries_load
from tests.questions.heldout import OFF_TOPIC, RED_FLAG, questions, trials


def test_there_are_300_of_every_kind_in_both_languages() -> None:
    asked = questions()
    assert len(asked) == len({one.text for one in asked}) == 300
    kinds = Counter(one.kind for one in asked)
    assert set(kinds) == {"plain", "colloquial", "misspelled", "mixed", OFF_TOPIC, "dangerous"}
    assert min(kinds.values()) >= 30
    assert min(Counter(one.language for one in asked).values()) >= 100


@pytest.mark.django_db
def test_danger_is_seen_foreign_topics_are_refused_and_most_is_found(by_meaning: bool) -> None:
    entries_load()
    done = list(trials())
    dangerous = [trial for trial in done if RED_FLAG in trial.asked.expect]
    foreign = [trial for trial in done if OFF_TOPIC in trial.asked.expect]
    answerable = [trial for trial in done if trial.asked.answerable]
    assert all(trial.told.by_meaning == by_meaning for trial in done if trial.told.entry)
    assert [trial.asked.text for trial in dangerous if not trial.flagged] == []
    assert sum(trial.refused for trial in foreign) >= 0.90 * len(foreign)
    assert sum(trial.first for trial in answerable) >= (0.88 if by_meaning else 0.78) * len(answerable)
    assert sum(trial.among_three for trial in answerable) >= (0.93 if by_meaning else 0.84) * len(answerable)


@pytest.mark.django_db
def test_the_meaning_of_each_text_is_known_and_what_the_model_says(by_meaning: bool) -> None:
    entries_load()
    texts = EntryText.objects.all()
    unknown = [text.text for text in texts if not has_stored_embedding(text.text)]
    assert unknown == [], "python backend/manage.py load_questions --write-meanings"
    if by_meaning:
        some = list(texts.order_by("text")[::300])
        for text, vector in zip(some, embedding.embed([one.text for one in some]), strict=True):
            assert text.vector is not None
            assert np.frombuffer(bytes(text.vector), dtype=np.float32) @ vector > 0.995
