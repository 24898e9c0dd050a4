"""The names of the AI Hub scalp set (dataSetSn 216): pictures, folders, official parts, members of zips.

Names may be NFC or NFD, or, from zips made on Korean Windows, cp949 bytes that were decoded as cp437.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ml.labels import GRADES, SYMPTOMS

PARTS = ("training", "validation")

#: The part of the head on a picture: top, left, right, back.
REGIONS = ("TH", "LH", "RH", "BH")

_PICTURE = re.compile(
    r"(?P<person>[0-9]{4})_(?:(?P<device>[^_/\\]+)_(?P<taken>[0-9]{10,16})_)?(?P<shot>[0-9])_(?P<region>TH|LH|RH|BH)"
)
_PART = re.compile(r"[0-9._ -]*(?:(train(?:ing)?)|val(?:id(?:ation)?)?)", re.IGNORECASE)


def _word(text: str) -> str:
    """`text` in NFC without spaces and punctuation: `[라벨]피지 과다_0.양호` becomes `라벨피지과다0양호`."""
    return "".join(letter for letter in unicodedata.normalize("NFC", text) if letter.isalnum())


_SYMPTOM_WORDS = {_word(symptom.korean): index for index, symptom in enumerate(SYMPTOMS)}
_GRADE_WORDS = {grade.korean: index for index, grade in enumerate(GRADES)}
_FOLDER = re.compile(
    rf"(?:원천|라벨|라벨링)?(?:데이터)?[0-9]*(?P<symptom>{'|'.join(_SYMPTOM_WORDS)})?"
    rf"[0-9]*(?P<grade>{'|'.join(_GRADE_WORDS)})?"
)


@dataclass(frozen=True, slots=True)
class PictureName:
    """The parts of a picture's name: `0013_A2LEBJJDE00060O_1602578303771_3_TH`, or short `8952_5_RH`.

    `person` is four digits, `taken` milliseconds since 1970, `shot` the running number, `region` one of
    `REGIONS`. The short form has neither `device` nor `taken`.
    """

    person: str
    device: str | None
    taken: int | None
    shot: int
    region: str

    @classmethod
    def parse(cls, stem: str) -> PictureName | None:
        """Parse the name without suffix; None if it is in neither form."""
        match = _PICTURE.fullmatch(stem)
        if match is None:
            return None
        taken = match["taken"]
        return cls(
            person=match["person"],
            device=match["device"],
            taken=int(taken) if taken else None,
            shot=int(match["shot"]),
            region=match["region"],
        )


@dataclass(frozen=True, slots=True)
class Folder:
    """What the folders above a file contain: the official part, and the symptom's index and grade."""

    part: str | None = None
    symptom: int | None = None
    grade: int | None = None

    @classmethod
    def parse(cls, components: Iterable[str]) -> Folder:
        """Parse the folders from the outside in; inner folders override outer ones.

        A zip counts as a folder with its name. Both layouts are read, `[원천]미세각질_0.양호` and
        `1.미세각질/0.양호`, in any Unicode normal form, with or without spaces.
        """
        part = symptom = grade = None
        for component in components:
            if named := _PART.fullmatch(component):
                part = PARTS[0] if named[1] else PARTS[1]
            elif filed := _FOLDER.fullmatch(_word(component)):
                if filed["symptom"]:
                    symptom, grade = _SYMPTOM_WORDS[filed["symptom"]], None
                if filed["grade"]:
                    grade = _GRADE_WORDS[filed["grade"]]
        return cls(part, symptom, grade)


def mended_name(name: str) -> str:
    """The correct name of a file or zip member, in NFC, with `/` between folders.

    If a zip does not declare its names as UTF-8, `zipfile` and many other programs decode them as cp437, although they
    are UTF-8 (zips of macOS) or cp949 (zips of Korean Windows); some write the raw bytes to disk. cp437 has no Hangul,
    so a correct Korean name is never changed.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/"))
    if name.isascii():
        return name
    for taken_for, errors in (("cp437", "strict"), ("utf-8", "surrogateescape")):
        for meant in ("utf-8", "cp949"):
            try:
                return unicodedata.normalize("NFC", name.encode(taken_for, errors).decode(meant))
            except UnicodeError:
                continue
    return name.encode("utf-8", "replace").decode()
