"""Files as public registers publish them, with every trap in them that is known, over invented clinics."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

HIRA_HEAD = (
    "암호화요양기호", "요양기관명", "종별코드", "종별코드명", "시도코드명", "시군구코드명", "읍면동", "우편번호",
    "주소", "전화번호", "병원홈페이지", "개설일자", "총의사수", "좌표(X)", "좌표(Y)",
)  # fmt: skip
LOCALDATA_HEAD = (
    "번호", "개방서비스명", "개방자치단체코드", "관리번호", "인허가일자", "영업상태구분코드", "영업상태명", "폐업일자",
    "소재지전화", "소재지전체주소", "도로명전체주소", "사업장명", "업태구분명", "좌표정보(X)", "좌표정보(Y)",
    "진료과목내용명",
)  # fmt: skip


#: 2,273.9 m east of 127.00289° E and 55,610.2 m south of 38° N on Bessel's ellipsoid, from which WGS84 lies some 300 m
#: away here: in meters of EPSG:5174, and in degrees.
METERS, DEGREES = ("202273.9", "444389.8"), (127.0265, 37.5017)


def hira_row(
    key: str,
    name: str,
    x: object = "127.0276",
    y: object = "37.4979",
    *,
    phone: str = "02-000-0000",
    website: str = "",
    address: str = "서울특별시 강남구 예시로 1",
) -> tuple[object, ...]:
    return (
        key, name, "31", "의원", "서울", "강남구", "역삼동", "06236", address, phone, website, "2010-01-01", "2", x, y,
    )  # fmt: skip


def localdata_row(
    number: str,
    name: str,
    x: object = METERS[0],
    y: object = METERS[1],
    *,
    state: str = "영업/정상",
    subjects: str = "",
    office: str = "3220000",
) -> tuple[object, ...]:
    return (
        "1", "의원", office, number, "20100101", "1", state, "", "02 000 0000", "서울특별시 강남구 역삼동 1",
        "서울특별시 강남구 예시로 1", name, "의원", x, y, subjects,
    )  # fmt: skip


def write_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]], encoding: str = "cp949") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([head, *rows])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def write_xlsx(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> Path:
    from openpyxl import Workbook

    book = Workbook()
    if title:
        book.active.append([title])
    for row in (head, *rows):
        book.active.append(list(row))
    book.save(path)
    return path
