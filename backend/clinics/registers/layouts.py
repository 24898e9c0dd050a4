"""The columns of each register, and which of its rows are open dermatology clinics."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from django.core.exceptions import ValidationError

from backend.clinics.registers.coordinates import Coordinates, read_coordinates
from backend.clinics.sources import Source
from backend.operations.spreadsheets import FileUnreadable
from backend.operations.web_addresses import validate_web_address

SKIN_WORD = "피부"
#: 진료과목코드 of 피부과.
DERMATOLOGY_CODE = "14"
PHONE_MIN_DIGITS = 7


@dataclass(frozen=True)
class ListedClinic:
    """A clinic as a register lists it."""

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
    coordinates: Coordinates


class RowSkipped(Exception):
    """A row is not imported; `code` says why: `closed`, `not_skin` or `nameless`."""

    def __init__(self, code: str, key: str) -> None:
        self.code = code
        self.key = key
        super().__init__(code)


#: The number of dermatologists by clinic key.
Departments = Mapping[str, int]


class Layout:
    """The columns of one register: for each field, the names that it has had, the latest first."""

    source: ClassVar[Source]
    #: A file with all of these columns has this layout.
    required_columns: ClassVar[tuple[str, ...]]
    columns: ClassVar[dict[str, tuple[str, ...]]]

    def read_clinic(self, cells: Mapping[str, str], departments: Departments | None) -> ListedClinic:
        """The clinic of a row. Raises RowSkipped or CoordinatesMissing."""
        found = {name: self._find_cell(cells, columns) for name, columns in self.columns.items()}
        key = self.key(found)
        if not found["name"]:
            raise RowSkipped("nameless", key)
        if not self.is_open(found):
            raise RowSkipped("closed", key)
        specialists = _parse_count(found.get("specialists", ""))
        if departments is not None:
            specialists = departments.get(found["key"])
        if specialists is None and (departments is not None or not self.is_for_skin(found)):
            raise RowSkipped("not_skin", key)
        return ListedClinic(
            key=key,
            source=self.source,
            name=found["name"],
            kind=found.get("kind", ""),
            province=found.get("province", ""),
            district=found.get("district", ""),
            address=found["address"],
            phone=_clean_phone(found["phone"]),
            website=_clean_website(found.get("website", "")),
            specialists=specialists,
            coordinates=read_coordinates(found["x"], found["y"]),
        )

    def key(self, found: Mapping[str, str]) -> str:
        """The key by which later imports recognize the row."""
        return f"{self.source}:{found['key'] or _digest(found['name'], found['address'])}"

    def is_open(self, found: Mapping[str, str]) -> bool:
        """Whether the clinic is open according to the register."""
        return True

    def is_for_skin(self, found: Mapping[str, str]) -> bool:
        """Whether the row itself says that the clinic treats skin."""
        return SKIN_WORD in found["name"] or SKIN_WORD in found.get("subjects", "")

    def _find_cell(self, cells: Mapping[str, str], names: tuple[str, ...]) -> str:
        return next((cells[name] for name in names if cells.get(name)), "")


class Hira(Layout):
    """병원정보서비스 of the Health Insurance Review & Assessment Service. It lists open clinics only; departments are
    in a separate file."""

    source = Source.HIRA
    required_columns = ("암호화요양기호", "요양기관명", "종별코드명")
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
    """인허가 lists of LOCALDATA: all licenses ever granted, including those of closed businesses."""

    source = Source.LOCALDATA
    required_columns = ("관리번호", "사업장명", "영업상태명")
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
        # Each office assigns its own numbers, so two offices may assign the same one.
        return f"{super().key(found)}{':' if found['office'] else ''}{found['office']}"

    def is_open(self, found: Mapping[str, str]) -> bool:
        # 영업/정상, as opposed to 폐업, 휴업 and 취소/말소/만료/정지/중지.
        return found["state"].startswith("영업")

    def read_clinic(self, cells: Mapping[str, str], departments: Departments | None) -> ListedClinic:
        clinic = super().read_clinic(cells, departments)
        province, district, *_ = [*clinic.address.split(), "", ""]  # Addresses start with both.
        return replace(clinic, province=province, district=district)


class PlainList(Layout):
    """A list that is kept by hand, so every clinic in it treats skin."""

    source = Source.CSV
    required_columns = ("name", "latitude", "longitude")
    columns: ClassVar = {
        "key": ("key",), "name": ("name",), "kind": ("kind",), "province": ("province",), "district": ("district",),
        "address": ("address",), "phone": ("phone",), "website": ("website",), "specialists": ("specialists",),
        "x": ("longitude",), "y": ("latitude",),
    }  # fmt: skip

    def is_for_skin(self, found: Mapping[str, str]) -> bool:
        return True


LAYOUTS = (Hira(), LocalData(), PlainList())


def find_layout(columns: Mapping[str, str]) -> Layout:
    """The layout of a file with these columns. Raises FileUnreadable."""
    for layout in LAYOUTS:
        if all(mark in columns for mark in layout.required_columns):
            return layout
    known = "; ".join(", ".join(layout.required_columns) for layout in LAYOUTS)
    raise FileUnreadable(f"The columns match no known list. One of these sets is required: {known}.")


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


def _clean_phone(word: str) -> str:
    """Groups of digits joined by hyphens; empty if this is not a phone number."""
    groups = re.findall(r"\+?\d+", word)
    return "-".join(groups) if sum(map(len, groups)) >= PHONE_MIN_DIGITS else ""


def _clean_website(word: str) -> str:
    """An address that browsers open. Registers omit the scheme, and write dashes if there is none."""
    address = word if "://" in word[:8] else f"http://{word}"
    try:
        validate_web_address(address)
    except (ValidationError, ValueError):
        return ""
    return address if len(address) <= 240 and "." in address else ""


def _parse_count(word: str) -> int | None:
    return int(word) if word.isdecimal() else None
