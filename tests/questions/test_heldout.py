"""The held-out questions, searched by words alone: the short form of `python -m tests.questions`."""

from __future__ import annotations

from collections import Counter

import pytest

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
def test_by_words_alone_danger_is_seen_and_foreign_topics_are_refused() -> None:
    entries_load()
    done = list(trials())
    dangerous = [trial for trial in done if RED_FLAG in trial.asked.expect]
    foreign = [trial for trial in done if OFF_TOPIC in trial.asked.expect]
    answerable = [trial for trial in done if trial.asked.answerable]
    assert [trial.asked.text for trial in dangerous if not trial.flagged] == []
    assert sum(trial.refused for trial in foreign) >= 0.85 * len(foreign)
    assert sum(trial.among_three for trial in answerable) >= 0.6 * len(answerable)
