"""The noise of published counts."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from backend.statistics.noise import EPSILON, add_noise

NAMES = [f"bar {number}" for number in range(60_000)]


def drawn(count: int) -> Counter[int]:
    return Counter(add_noise(count, name) - count for name in NAMES)


def test_the_noise_is_two_sided_geometric() -> None:
    seen, alpha = drawn(100), math.exp(-EPSILON)
    for k in range(-4, 5):
        share = (1 - alpha) / (1 + alpha) * alpha ** abs(k)
        spread = math.sqrt(share * (1 - share) / len(NAMES))
        assert seen[k] / len(NAMES) == pytest.approx(share, abs=5 * spread), k


def test_no_published_number_reveals_a_single_result() -> None:
    """The bound of differential privacy: what is published is at most exp(ε) times as likely with it as without it."""
    fewer = Counter(add_noise(100, name) for name in NAMES)
    more = Counter(add_noise(101, name) for name in NAMES)
    compared = [number for number in fewer | more if min(fewer[number], more[number]) > 500]
    assert len(compared) > 5
    for number in compared:
        assert abs(math.log(fewer[number] / more[number])) < EPSILON + 0.2


def test_the_same_count_keeps_its_noise_and_its_neighbor_s_is_independent() -> None:
    assert [add_noise(50, name) for name in NAMES[:100]] == [add_noise(50, name) for name in NAMES[:100]]
    together = sum(add_noise(50, name) - 50 == add_noise(51, name) - 51 for name in NAMES) / len(NAMES)
    alone = sum((share / len(NAMES)) ** 2 for share in drawn(50).values())
    assert together == pytest.approx(alone, abs=0.02)


def test_another_secret_draws_other_noise(settings: Any) -> None:
    before = [add_noise(100, name) for name in NAMES[:50]]
    settings.SECRET_KEY = "another secret of more than enough characters, for this test"
    assert [add_noise(100, name) for name in NAMES[:50]] != before


def test_nothing_goes_below_zero() -> None:
    assert min(add_noise(0, name) for name in NAMES[:1000]) == 0
