"""What each register calls its columns, and which of its rows are clinics for skin that are open."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from backend.clinics.registers.coordinates import Place, read_place
from backend.clinics.sources import Source
from backend.operations.spreadsheets import FileUnreadable

SKIN_WORD = "피부"
#: 진료과목코드 of 피부과.
DERMATOLOGY_CODE = "14"
PHONE_MIN_DIGITS = 7  #: digits that one dials


@dataclass(frozen=True)
class Listed:
    """A clinic as a register has it."""

    key: str
    source: Source
    name: str
    kind: str
    province: str
    district: str
    address: str
    phone: str
    website: str
    specialists: int | None
    place: Place


class Skipped(Exception):
    """A row that is no clinic for us; `code` says why: `closed`, `not_skin` or `nameless`."""

    def __init__(self, code: str, key: str) -> None:
        self.code = code
        self.key = key
        super().__init__(code)


#: Dermatologists by the key of a clinic that names dermatology.
Departments = Mapping[str, int]


class Layout:
    """One register's columns: of each thing the names that it went by, the latest first."""

    source: ClassVar[Source]
    #: A file that has all of these columns is of this layout.
    marks: ClassVar[tuple[str, ...]]
    columns: ClassVar[dict[str, tuple[str, ...]]]

    def listed(self, cells: Mapping[str, str], departments: Departments | None) -> Listed:
        """The clinic of a row. Raises Skipped or NoPlace."""
        found = {what: self._cell(cells, names) for what, names in self.columns.items()}
        key = self.key(found)
        if not found["name"]:
            raise Skipped("nameless", key)
        if not self.is_open(found):
            raise Skipped("closed", key)
        specialists = _count(found.get("specialists", ""))
        if departments is not None:
            specialists = departments.get(found["key"])
        if specialists is None and (departments is not None or not self.is_for_skin(found)):
            raise Skipped("not_skin", key)
        return Listed(
            key=key,
            source=self.source,
            name=found["name"],
            kind=found.get("kind", ""),
            province=found.get("province", ""),
            district=found.get("district", ""),
            address=found["address"],
            phone=_phone(found["phone"]),
            website=_website(found.get("website", "")),
            specialists=specialists,
            place=read_place(found["x"], found["y"]),
        )

    def key(self, found: Mapping[str, str]) -> str:
        """What the row is known by from now on."""
        return f"{self.source}:{found['key'] or _digest(found['name'], found['address'])}"

    def is_open(self, found: Mapping[str, str]) -> bool:
        """Whether the register has it among those that are open."""
        return True

    def is_for_skin(self, found: Mapping[str, str]) -> bool:
        """Whether it is for skin, as far as the row alone tells."""
        return SKIN_WORD in found["name"] or SKIN_WORD in found.get("subjects", "")

    def _cell(self, cells: Mapping[str, str], names: tuple[str, ...]) -> str:
        return next((cells[name] for name in names if cells.get(name)), "")


class Hira(Layout):
    """병원정보서비스 of the Health Insurance Review & Assessment Service. Its rows are open clinics; departments are a
    file of their own."""

    source = Source.HIRA
    marks = ("암호화요양기호", "요양기관명", "종별코드명")
    columns: ClassVar = {
        "key": ("암호화요양기호",),
        "name": ("요양기관명",),
        "kind": ("종별코드명",),
        "province": ("시도코드명",),
        "district": ("시군구코드명",),
        "address": ("주소",),
        "phone": ("전화번호",),
        "website": ("병원홈페이지", "병원url"),
        "x": ("좌표(x)", "x좌표"),
        "y": ("좌표(y)", "y좌표"),
    }


class LocalData(Layout):
    """인허가 lists of LOCALDATA: all licences that were ever given, those of closed businesses included."""

    source = Source.LOCALDATA
    marks = ("관리번호", "사업장명", "영업상태명")
    columns: ClassVar = {
        "key": ("관리번호",),
        "office": ("개방자치단체코드",),
        "state": ("영업상태명",),
        "name": ("사업장명",),
        "kind": ("업태구분명",),
        "subjects": ("진료과목내용명", "진료과목내용"),
        "address": ("도로명전체주소", "도로명주소", "소재지전체주소", "지번주소"),
        "phone": ("소재지전화", "전화번호"),
        "x": ("좌표정보x(epsg5174)", "좌표정보(x)", "좌표정보x"),
        "y": ("좌표정보y(epsg5174)", "좌표정보(y)", "좌표정보y"),
    }

    def key(self, found: Mapping[str, str]) -> str:
        # A number is given by an office, so two offices may give the same one.
        return f"{super().key(found)}{':' if found['office'] else ''}{found['office']}"

    def is_open(self, found: Mapping[str, str]) -> bool:
        # 영업/정상, beside 폐업, 휴업, 취소/말소/만료/정지/중지.
        return found["state"].startswith("영업")

    def listed(self, cells: Mapping[str, str], departments: Departments | None) -> Listed:
        clinic = super().listed(cells, departments)
        province, district, *_ = [*clinic.address.split(), "", ""]  # An address begins with both.
        return replace(clinic, province=province, district=district)


class Plain(Layout):
    """A list that somebody keeps by hand. All of it is for skin, since somebody put it there."""

    source = Source.CSV
    marks = ("name", "latitude", "longitude")
    columns: ClassVar = {
        "key": ("key",), "name": ("name",), "kind": ("kind",), "province": ("province",), "district": ("district",),
        "address": ("address",), "phone": ("phone",), "website": ("website",), "specialists": ("specialists",),
        "x": ("longitude",), "y": ("latitude",),
    }  # fmt: skip

    def is_for_skin(self, found: Mapping[str, str]) -> bool:
        return True


LAYOUTS = (Hira(), LocalData(), Plain())


def layout_of(columns: Mapping[str, str]) -> Layout:
    """The layout of a file with these columns. Raises FileUnreadable."""
    for layout in LAYOUTS:
        if all(mark in columns for mark in layout.marks):
            return layout
    wanted = "; ".join(", ".join(layout.marks) for layout in LAYOUTS)
    raise FileUnreadable(f"The columns are of no known list. There must be {wanted}.")


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


def _phone(word: str) -> str:
    """Digits with hyphens, as one dials; a word that is no number is none."""
    groups = re.findall(r"\+?\d+", word)
    return "-".join(groups) if sum(map(len, groups)) >= PHONE_MIN_DIGITS else ""


def _website(word: str) -> str:
    """An address that a browser opens; registers leave the scheme out, and write dashes for none."""
    if "." not in word or " " in word:
        return ""
    address = word if word.lower().startswith(("http://", "https://")) else f"http://{word}"
    return address if len(address) <= 240 and "://" in address[:8] else ""


def _count(word: str) -> int | None:
    return int(word) if word.isdecimal() else None
