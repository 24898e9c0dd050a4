"""Invented clinics for trying out the pages: as many as in Korea, distributed like its population."""

from __future__ import annotations

import random
from collections.abc import Iterator

from backend.clinics.registers.coordinates import Coordinates
from backend.clinics.registers.layouts import ListedClinic
from backend.clinics.sources import Source

SAMPLE_COUNT = 20_000
#: Province, district, longitude, latitude, and clinics per thousand.
SAMPLE_TOWNS = (
    ("서울", "강남구", 127.047, 37.517, 130), ("서울", "서초구", 127.032, 37.483, 60),
    ("서울", "마포구", 126.908, 37.560, 45), ("서울", "송파구", 127.106, 37.514, 45),
    ("서울", "영등포구", 126.896, 37.526, 40), ("서울", "노원구", 127.056, 37.654, 30),
    ("서울", "중구", 126.997, 37.563, 35), ("경기", "성남시", 127.126, 37.420, 50),
    ("경기", "수원시", 127.028, 37.263, 50), ("경기", "고양시", 126.832, 37.658, 40),
    ("경기", "용인시", 127.177, 37.241, 35), ("경기", "부천시", 126.766, 37.503, 30),
    ("인천", "남동구", 126.731, 37.447, 45), ("강원", "춘천시", 127.729, 37.881, 12),
    ("강원", "원주시", 127.920, 37.342, 12), ("강원", "강릉시", 128.876, 37.752, 10),
    ("충북", "청주시", 127.489, 36.642, 28), ("충남", "천안시", 127.114, 36.815, 25),
    ("대전", "서구", 127.384, 36.355, 45), ("전북", "전주시", 127.148, 35.824, 28),
    ("광주", "서구", 126.890, 35.152, 45), ("전남", "순천시", 127.487, 34.951, 14),
    ("대구", "수성구", 128.631, 35.858, 50), ("경북", "포항시", 129.343, 36.019, 18),
    ("울산", "남구", 129.330, 35.544, 30), ("부산", "부산진구", 129.053, 35.163, 60),
    ("부산", "해운대구", 129.163, 35.163, 45), ("경남", "창원시", 128.682, 35.228, 32),
    ("제주", "제주시", 126.531, 33.500, 16),
)  # fmt: skip
SPREAD_DEGREES = 0.035  #: standard deviation of the clinics around the center of a town
SAME_BUILDING_SHARE = 0.12  #: share of clinics with exactly the coordinates of another one
SPECIALIST_SHARE = 0.15
NAME_PREFIXES = (
    "가온",
    "나래",
    "다솜",
    "라온",
    "마루",
    "바른",
    "사랑",
    "아라",
    "자연",
    "차오름",
    "큰솔",
    "타래",
    "푸른",
    "하늘",
)
NAME_SUFFIXES = ("피부과의원", "의원", "클리닉의원", "피부과", "메디컬의원")
SAMPLE_KINDS = ("의원", "의원", "의원", "병원")


def sample_clinics(seed: int = 1) -> Iterator[ListedClinic]:
    """The same clinics for the same seed. Their phone numbers and names do not exist."""
    rng = random.Random(seed)  # noqa: S311 - nothing to be guessed
    weights = [town[4] for town in SAMPLE_TOWNS]
    house = Coordinates(0.0, 0.0)
    town = SAMPLE_TOWNS[0]
    for number in range(SAMPLE_COUNT):
        if not number or rng.random() >= SAME_BUILDING_SHARE:
            town = rng.choices(SAMPLE_TOWNS, weights)[0]
            house = Coordinates(
                round(rng.gauss(town[2], SPREAD_DEGREES), 6), round(rng.gauss(town[3], SPREAD_DEGREES * 0.7), 6)
            )
        province, district = town[:2]
        yield ListedClinic(
            key=f"{Source.SAMPLE}:{number}",
            source=Source.SAMPLE,
            name=f"예시 {rng.choice(NAME_PREFIXES)}{rng.choice(NAME_SUFFIXES)} {number}호",
            kind=rng.choice(SAMPLE_KINDS),
            province=province,
            district=district,
            address=f"{province} {district} 예시로 {rng.randrange(1, 400)}",
            phone=f"000-{rng.randrange(1000):03}-{rng.randrange(10_000):04}",
            website="",
            specialists=rng.randrange(1, 5) if rng.random() < SPECIALIST_SHARE else 0,
            coordinates=house,
        )
