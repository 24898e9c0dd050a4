"""What must not wait for an answer."""

from __future__ import annotations

import pytest

from backend.questions.advice import ADVICE
from backend.questions.red_flags import RedFlag, red_flag


@pytest.mark.parametrize(
    ("said", "flag"),
    [
        ("탈모 때문에 진짜 죽고 싶어요", RedFlag.LIFE),
        ("my hair is gone and I don't want to live anymore", RedFlag.LIFE),
        ("염색하고 나서 눈이 퉁퉁 부었어요", RedFlag.BREATH),
        ("I dyed my hair and now it's hard to breathe", RedFlag.BREATH),
        ("두피에서 피가 계속 나요", RedFlag.BLEEDING),
        ("my scalp won't stop bleeding", RedFlag.BLEEDING),
        ("계단에서 넘어져서 머리가 찢어졌어요", RedFlag.INJURY),
        ("I hit my head and feel dizzy", RedFlag.INJURY),
        ("뜨거운 물을 머리에 쏟았어요", RedFlag.BURN),
        ("두피가 붓고 열이 나요", RedFlag.INFECTION),
        ("scalp is swollen and I have a fever", RedFlag.INFECTION),
        ("고름이 점점 퍼져요", RedFlag.INFECTION),
        ("머리 왼쪽에만 물집이 나고 찌릿찌릿 아파요", RedFlag.BLISTERS),
        ("갑자기 머리가 동그랗게 빠졌어요", RedFlag.SUDDEN_LOSS),
        ("woke up with a smooth bald spot", RedFlag.SUDDEN_LOSS),
        ("머리가 한움큼씩 빠져요 무서워요", RedFlag.SUDDEN_LOSS),
        ("hair is falling out in clumps", RedFlag.SUDDEN_LOSS),
        ("두피에서 고름이 나와요", RedFlag.INFECTION),
        ("bleeding that doesn’t stop", RedFlag.BLEEDING),
        ("우리 아이 머리에 딱지가 생겼어요", RedFlag.CHILD),
        ("my 5 year old has flakes on her scalp", RedFlag.CHILD),
    ],
)
def test_what_cannot_wait_is_seen_and_has_its_advice(said: str, flag: RedFlag) -> None:
    assert red_flag(said) == flag
    assert ADVICE[flag].text


@pytest.mark.parametrize(
    "said",
    [
        "비듬이 심한데 어떻게 관리해요?",
        "열은 없는데 두피가 빨개요",
        "no fever, my scalp is just red",
        "어릴 때 넘어져서 생긴 흉터에 머리가 안 나요",
        "I have an old scar on my head from when I was a child",
        "아이도 써도 되나요?",
        "갑자기 사진이 안 올라가요",
        "가려워 죽겠어요",
        "감을 때마다 머리카락이 한 움큼씩 나와요",
        "my dog is losing fur in clumps",
        "can an old head injury cause hair loss",
        "how often should I wash my hair",
    ],
)
def test_what_can_wait_raises_no_flag(said: str) -> None:
    assert red_flag(said) is None


def test_every_flag_has_its_advice() -> None:
    assert set(ADVICE) == set(RedFlag)
