"""Korean in Latin letters by the Revised Romanization (Ministry of Culture and Tourism, notice 2000-8).

`frontend/static/js/clinics/romanization.js` does the same in the browser; a test compares the two.
"""

from __future__ import annotations

import unicodedata

FIRST, LAST = 0xAC00, 0xD7A3  #: of the composed syllables: 19 initials × 21 vowels × 28 finals, the first of them none
VOWELS, FINALS = 21, 28
_INITIALS = "g kk n d tt r m b pp s ss  j jj ch k t p h"
_VOWELS = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i"
#: Of a final before a consonant or at the end, and before a vowel, to which its last consonant moves.
_FINALS = " k k k n n n t l k m l l l p l m p p t t ng t t k t p t"
_LINKED = " g kk ks n nj n d r lg lm lb ls lt lp r m b ps s ss ng j ch k t p "
INITIAL_LETTERS, VOWEL_LETTERS, FINAL_LETTERS, LINKED_LETTERS = (
    letters.split(" ") for letters in (_INITIALS, _VOWELS, _FINALS, _LINKED)
)
SILENT = INITIAL_LETTERS.index("")
#: A final and the initial after it, where their sounds change each other.
ASSIMILATED = {
    ("k", "n"): "ngn", ("k", "m"): "ngm", ("k", "r"): "ngn",
    ("t", "n"): "nn", ("t", "m"): "nm", ("t", "r"): "nn",
    ("p", "n"): "mn", ("p", "m"): "mm", ("p", "r"): "mn",
    ("n", "r"): "ll", ("l", "n"): "ll", ("l", "r"): "ll", ("m", "r"): "mn", ("ng", "r"): "ngn",
}  # fmt: skip


def romanize(text: str, *, spelled: bool = False) -> str:
    """The text with its Hangul in Latin letters, as it is pronounced or, `spelled`, syllable by syllable.

    Names of roads and districts are officially spelled in part: Jongno, but Sejong-daero.
    """
    letters: list[str] = []
    final = 0
    for character in unicodedata.normalize("NFC", text):
        place = ord(character) - FIRST
        if not 0 <= place <= LAST - FIRST:
            letters += (FINAL_LETTERS[final], character)
            final = 0
            continue
        initial, rest = divmod(place, VOWELS * FINALS)
        vowel, next_final = divmod(rest, FINALS)
        letters += (_join(final, initial, spelled=spelled), VOWEL_LETTERS[vowel])
        final = next_final
    return "".join([*letters, FINAL_LETTERS[final]])


def _join(final: int, initial: int, *, spelled: bool) -> str:
    """The consonants between two vowels."""
    before, after = FINAL_LETTERS[final], INITIAL_LETTERS[initial]
    if spelled or not final:
        return before + after
    if initial == SILENT:
        return LINKED_LETTERS[final]
    return ASSIMILATED.get((before, after), before + after)
