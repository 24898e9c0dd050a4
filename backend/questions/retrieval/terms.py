"""What of a text is looked for: its words as a dictionary has them, and its letters in threes.

Korean words are taken apart into morphemes, of which those with a meaning are kept: 머리를 and 머리가 are one term.
English words lose their endings (Porter2). Threes of letters still agree where a word is misspelled or run together.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from threading import Lock

import snowballstemmer
from kiwipiepy import Kiwi

#: Nouns, verbs, adjectives, roots, adverbs, foreign words, numbers; not pronouns, particles and endings.
CONTENT_TAGS = frozenset(
    {"NNG", "NNP", "NNB", "NR", "VV", "VV-I", "VV-R", "VA", "VA-I", "VA-R", "XR", "MAG", "SL", "SN"}
)
#: So frequent in questions that they tell nothing of what is asked.
STOP_WORDS = frozenset(
    """
    하 있 되 것 거 수 좀 왜 어떻 어떻게 이렇 그렇 같 주 알 말 때 더 잘 요
    i me my mine you your it its is are was be am do does did can could should would will may the a an of to in on for
    and or if with what how why when which who this that there have has had get so too very any some about from at
    """.split()  # noqa: SIM905 - as words they can be read
)

_stemmer = snowballstemmer.stemmer("english")
_stemming = Lock()  # A stemmer keeps the word that it works on.


def normal(text: str) -> str:
    """The text in one way of writing: composed, small letters, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def language_of(text: str) -> str:
    """`ko` where a fourth of the letters are Hangul, of which each stands for two or three, else `en`."""
    letters = [letter for letter in text if letter.isalpha()]
    hangul = sum("가" <= letter <= "힣" or "ㄱ" <= letter <= "ㅣ" for letter in letters)
    return "ko" if 4 * hangul >= len(letters) else "en"


def terms(text: str) -> list[str]:
    """The words of a text that carry its meaning, each as often as it is there."""
    found = []
    for token in _kiwi().tokenize(normal(text)):
        if token.tag not in CONTENT_TAGS or token.form in STOP_WORDS:
            continue
        found.append(_stem(token.form) if token.tag == "SL" else token.form)
    return found


def threes(text: str) -> frozenset[str]:
    """Each three letters that stand together in the text without its blanks and signs, Hangul taken apart into its own.

    안 감아요 has ㅇㅏㄴ, ㅏㄴㄱ, ㄴㄱㅏ, …: a wrong final consonant spoils three of them and not the word.
    """
    letters = re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", normal(text)))
    return frozenset(letters[at : at + 3] for at in range(len(letters) - 2))


@lru_cache(1)
def _kiwi() -> Kiwi:
    """Loaded with the first question, in about a second and 250 MB. Its names of films and places are left out."""
    return Kiwi(num_workers=1, load_default_dict=False, load_multi_dict=False)


def _stem(word: str) -> str:
    with _stemming:
        return str(_stemmer.stemWord(word))
