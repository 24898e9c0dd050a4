"""What of a question is looked for, and how well it fits."""

from __future__ import annotations

import numpy as np
import pytest

from backend.questions.retrieval.bm25 import BM25
from backend.questions.retrieval.index import COVARIANCE_SHRINKAGE, Index, Match, Role, Text, whitening_matrix
from backend.questions.retrieval.terms import character_trigrams, detect_language, terms
from backend.questions.selectors.answering import softmax_share


def text(key: str, said: str, language: str = "ko", role: Role = Role.PHRASE) -> Text:
    return Text(key, role, language, said, tuple(terms(said)))


@pytest.mark.parametrize("said", ["머리를 감아요", "머리는 어떻게 감나요", "머리 감을 때"])
def test_korean_words_are_found_without_their_endings(said: str) -> None:
    assert {"머리", "감"} <= set(terms(said))


def test_english_words_are_stemmed_and_stop_words_dropped() -> None:
    assert set(terms("How often should I be washing my hair?")) == set(terms("wash hair often"))
    assert terms("what is it?") == []


@pytest.mark.parametrize(
    ("said", "language"),
    [("머리 감는 법", "ko"), ("wash my hair", "en"), ("AI가 뭐예요", "ko"), ("shampoo 추천 좀", "ko"), ("?!", "ko")],
)
def test_the_language_of_a_question(said: str, language: str) -> None:
    assert detect_language(said) == language


def test_a_misspelled_word_still_shares_most_of_its_letters() -> None:
    def shared(one: str, other: str) -> float:
        a, b = character_trigrams(one), character_trigrams(other)
        return 2 * len(a & b) / (len(a) + len(b))

    assert shared("머리가 가려워요", "머리가가려워여") > 0.7
    assert shared("dandruff", "dandruf") > 0.8
    assert shared("머리가 가려워요", "사진이 안 올라가요") < 0.2


def test_bm25_prefers_the_rarer_word_and_takes_a_missing_one_as_missing() -> None:
    bm25 = BM25([["hair", "wash"], ["hair", "loss"], ["hair", "gray"]])
    scores = bm25.scores(["hair", "loss"])
    assert scores.argmax() == 1
    assert 0 < scores[0] < scores[1] < 1
    assert bm25.scores(["loss", "zebra"])[1] < bm25.scores(["loss"])[1]
    assert not bm25.scores(["zebra"]).any()
    assert not bm25.scores([]).any()


def test_bm25_agrees_with_its_formula() -> None:
    bm25 = BM25([["a", "a", "b"], ["b"]])
    rare, common = np.log(1 + (2 - 1 + 0.5) / (1 + 0.5)), np.log(1 + (2 - 2 + 0.5) / (2 + 0.5))
    long, short = 1.2 * (1 - 0.5 + 0.5 * 3 / 2), 1.2 * (1 - 0.5 + 0.5 * 1 / 2)
    first = rare * 2 / (2 + long) + common * 1 / (1 + long)
    second = common * 1 / (1 + short)
    assert bm25.scores(["a", "b"]) == pytest.approx(np.array([first, second]) / (rare + common), rel=1e-5)


def test_entries_are_ranked_by_words_and_letters_where_there_is_no_meaning() -> None:
    index = Index(
        [text("itch", "두피가 왜 가려워요?"), text("upload", "사진이 안 올라가요"), text("wash", "머리 감는 법")]
    )
    assert not index.by_meaning
    assert index.rank("두피 가려움 이유")[0].key == "itch"
    assert index.rank("사진이안올라가여")[0].key == "upload"
    assert index.rank("두피 가려움 이유", {"wash": 5.0})[0].key == "wash"


def test_a_question_of_signs_alone_fits_nothing() -> None:
    index = Index([text("itch", "두피가 왜 가려워요?")])
    assert index.rank("!!!")[0].score == 0
    assert Index([]).rank("두피") == []


def test_what_differs_among_ways_to_ask_the_same_is_evened_out() -> None:
    within = np.random.default_rng(3).normal(size=(500, 6)) * np.array([8, 4, 2, 1, 1, 1])
    matrix = whitening_matrix(within.astype(np.float32))
    covariance = within.T @ within / len(within)
    shrunk = (1 - COVARIANCE_SHRINKAGE) * covariance / (np.trace(covariance) / 6) + COVARIANCE_SHRINKAGE * np.eye(6)
    assert matrix @ shrunk @ matrix.T == pytest.approx(np.eye(6), abs=1e-4)
    spread = (within @ matrix).std(axis=0)
    assert 2 < spread.max() / spread.min() < 0.7 * 8


def test_many_topics_that_fit_a_little_have_as_much_as_one_that_fits_well() -> None:
    one = [Match("entry", 1.0), Match("weather", 0.9)]
    many = [Match("entry", 1.0), *(Match(f"topic-{number}", 0.9 - np.log(5) / 8) for number in range(5))]
    assert softmax_share(one, {"weather"}, 8) == pytest.approx(1 / (1 + np.exp(0.8)))
    assert softmax_share(many, {match.key for match in many[1:]}, 8) == pytest.approx(
        softmax_share(one, {"weather"}, 8)
    )
    assert softmax_share(one, {"weather"}, 30) < softmax_share(one, {"weather"}, 8)
