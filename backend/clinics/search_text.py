"""What searches compare: any Unicode form, width and case, without blanks, and Korean in Latin letters too.

`frontend/static/js/clinics/clinic-list.js` compares the same way in the browser.
"""

from __future__ import annotations

import unicodedata

from backend.clinics.romanization import romanize


def normalize_text(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def normalize_latin(text: str) -> str:
    """Without the hyphens and apostrophes of romanized names: Gangnam-gu."""
    return normalize_text(text).translate(dict.fromkeys(map(ord, "-'’")))


def search_text(*parts: str) -> str:
    """The texts as a search compares them: as they are written, and romanized in two ways."""
    text = " ".join(parts)
    forms = {normalize_latin(romanize(text, spelled=spelled)): None for spelled in (False, True)}
    return " ".join([normalize_text(text), *forms])
