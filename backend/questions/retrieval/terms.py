"""The search terms of a text: lemmas of its content words, and character trigrams.

Korean words are split into morphemes, and only content morphemes are kept: 머리를 and 머리가 are one term. English
words are stemmed (Porter2). Trigrams still match if words are misspelled or run together.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

import snowballstemmer
from kiwipiepy import Kiwi

#: Nouns, verbs, adjectives, roots, adverbs, foreign words, numbers; not pronouns, particles and endings.
CONTENT_TAGS = frozenset(
    {"NNG", "NNP", "NNB", "NR", "VV", "VV-I", "VV-R", "VA", "VA-I", "VA-R", "XR", "MAG", "SL", "SN"}
)
#: So frequent in questions that they say nothing about the topic.
STOP_WORDS = frozenset(
    """
    하 있 되 것 거 수 좀 왜 어떻 어떻게 이렇 그렇 같 주 알 말 때 더 잘 요
    i me my mine you your it its is are was be am do does did can could should would will may the a an of to in on for
    and or if with what how why when which who this that there have has had get so too very any some about from at
    """.split()  # noqa: SIM905 - as words they can be read
)

_stemmer = snowballstemmer.stemmer("english")
_stemming = Lock()  # A stemmer is not thread-safe: it stores the word that it works on.


def normalize(text: str) -> str:
    """The text in NFKC and lower case, with single spaces and straight apostrophes."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("’", "'").split())


def compile_alternatives(patterns: Sequence[str]) -> re.Pattern[str]:
    """One pattern that matches a normalized text if any of these does."""
    return re.compile("|".join(patterns))


def detect_language(text: str) -> str:
    """`ko` if at least a quarter of the letters are Hangul, since one of these stands for two or three, else `en`."""
    letters = [letter for letter in text if letter.isalpha()]
    hangul = sum("가" <= letter <= "힣" or "ㄱ" <= letter <= "ㅣ" for letter in letters)
    return "ko" if 4 * hangul >= len(letters) else "en"


def terms(text: str) -> list[str]:
    """The content words of a text, with repetitions."""
    found = []
    for token in _kiwi().tokenize(normalize(text)):
        if token.tag not in CONTENT_TAGS or token.form in STOP_WORDS:
            continue
        found.append(_stem(token.form) if token.tag == "SL" else token.form)
    return found


def character_trigrams(text: str) -> frozenset[str]:
    """The trigrams of a text without spaces and punctuation, with Hangul syllables decomposed into letters.

    안 감아요 has ㅇㅏㄴ, ㅏㄴㄱ, ㄴㄱㅏ, …: a wrong final consonant changes three trigrams rather than the whole word.
    """
    letters = re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", normalize(text)))
    return frozenset(letters[start : start + 3] for start in range(len(letters) - 2))


@lru_cache(1)
def _kiwi() -> Kiwi:
    """Loaded with the first question, which takes about a second and 250 MB, without its dictionary of titles."""
    return Kiwi(num_workers=1, load_default_dict=False, load_multi_dict=False)


def _stem(word: str) -> str:
    with _stemming:
        return str(_stemmer.stemWord(word))
