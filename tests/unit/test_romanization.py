"""Korean in Latin letters, and what searches find by it."""

from __future__ import annotations

import unicodedata

import pytest
from django.test import Client

from backend.clinics.models import Clinic
from backend.clinics.romanization import romanize
from backend.clinics.selectors.clinics import clinics_search
from tests.support.clinics import clinic

#: Of the notice on the Revised Romanization, those that the sounds decide and no dictionary.
OFFICIAL = """
구미 Gumi 영동 Yeongdong 백암 Baegam 옥천 Okcheon 합덕 Hapdeok 호법 Hobeop 월곶 Wolgot 벚꽃 Beotkkot 한밭 Hanbat
백마 Baengma 종로 Jongno 왕십리 Wangsimni 별내 Byeollae 신라 Silla 묵호 Mukho 압구정 Apgujeong 낙동강 Nakdonggang
낙성대 Nakseongdae 합정 Hapjeong 팔당 Paldang 샛별 Saetbyeol 울산 Ulsan 설악 Seorak 칠곡 Chilgok 임실 Imsil
울릉 Ulleung 대관령 Daegwallyeong 독립문 Dongnimmun 집현전 Jiphyeonjeon 중앙 Jungang 광희문 Gwanghuimun
"""
PAIRS = list(zip(OFFICIAL.split()[::2], OFFICIAL.split()[1::2], strict=True))


@pytest.mark.parametrize(("korean", "latin"), PAIRS)
def test_names_are_romanized_as_the_notice_has_them(korean: str, latin: str) -> None:
    assert romanize(korean) == latin.lower()
    assert romanize(unicodedata.normalize("NFD", korean)) == latin.lower()


def test_roads_are_also_spelled_syllable_by_syllable() -> None:
    assert romanize("종로 3길", spelled=True) == "jongro 3gil"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "words",
    [
        "종로",
        "jongno",
        "Jongno-gu",
        "jongro",
        "SEOUL jongno",
        unicodedata.normalize("NFD", "종로구"),
        "ｊｏｎｇｎｏ",
        "１２",
    ],
)
def test_a_search_finds_any_spelling(words: str) -> None:
    near = clinic("가온피부과", district="종로구", address="서울 종로구 12")
    clinic("나래피부과", district="강남구", address="서울 강남구 3")
    assert list(clinics_search(words)) == [near]


@pytest.mark.django_db
def test_what_a_register_writes_decomposed_is_found_too() -> None:
    made = clinic(unicodedata.normalize("NFD", "가온피부과"))
    assert list(clinics_search("가온")) == [made]
    assert list(clinics_search("gaon")) == [made]
    assert not clinics_search("-'").exists()


@pytest.mark.django_db(transaction=True)
def test_without_scripts_a_list_has_counts_and_latin_names(visitor: Client) -> None:
    first = clinic("가온 피부과")
    rows = [
        Clinic(key=f"csv:{n}", name=f"나래 {n}", source=first.source, longitude=127, latitude=37) for n in range(1200)
    ]
    Clinic.objects.bulk_create(rows)
    page = visitor.get("/clinics/").content.decode()
    assert "1,201 clinics" in page
    assert "Gaon Pibugwa" in page
