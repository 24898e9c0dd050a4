"""The order of suggestions: where it begins, what it learns, and who can't spoil it."""

from __future__ import annotations

import random

import pytest

from backend.products.bandit import PRIOR_SHOWS, Arm, rank_arms
from backend.products.interval import wilson_interval
from tests.products.simulation import by_bandit, by_liking, by_rules, simulated, world


def firsts(arms: list[Arm], times: int = 400) -> dict[int, float]:
    """How often each arm comes first."""
    shown = [rank_arms(arms, seed)[0].key for seed in range(times)]
    return {arm.key: shown.count(arm.key) / times for arm in arms}


def test_it_begins_with_the_rules() -> None:
    told = firsts([Arm(1, 1.0), Arm(2, 0.5), Arm(3, 0.0)])
    assert told[1] > told[2] > told[3] > 0


def test_the_order_depends_on_the_seed_and_a_new_product_moves_no_other() -> None:
    arms = [Arm(key, 0.5) for key in range(8)]
    assert rank_arms(arms, "a") == rank_arms(reversed(arms), "a")
    assert rank_arms(arms, "a") != rank_arms(arms, "b")
    with_another = [arm for arm in rank_arms([*arms, Arm(99, 1.0)], "a") if arm.key != 99]
    assert with_another == rank_arms(arms, "a")


def test_clicks_overrule_the_rules_and_something_else_is_still_tried() -> None:
    told = firsts([Arm(1, 1.0, shows=2000, clicks=40), Arm(2, 0.0, shows=2000, clicks=160), Arm(3, 0.5)])
    assert told[1] < 0.01
    assert told[2] > 0.5
    assert told[3] > 0.05, "little is known of it, so it has its turn"


@pytest.mark.parametrize(("shows", "clicks"), [(0, 0), (0, 5), (3, 3), (10**7, 0), (10**7, 10**7)])
def test_a_belief_is_one_whatever_was_counted(shows: int, clicks: int) -> None:
    for score in (0.0, 1.0):
        first, second = Arm(1, score, shows, clicks).posterior
        assert first > 0
        assert second > 0
        assert first + second == pytest.approx(PRIOR_SHOWS + max(shows, clicks))


def test_wilson_s_interval_is_the_one_of_the_book() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    for successes, trials, least, most in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson_interval(successes, trials) == pytest.approx((least, most), abs=0.0001)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_wilson_s_interval_holds_the_true_rate_as_often_as_it_says() -> None:
    rng = random.Random(1)
    held = 0
    for _ in range(2000):
        least, most = wilson_interval(sum(rng.random() < 0.08 for _ in range(150)), 150)
        held += least <= 0.08 <= most
    assert 0.93 < held / 2000 < 0.97


def test_in_a_simulation_it_beats_the_fixed_order_and_is_near_the_best() -> None:
    there = world(1)
    fixed = simulated(there, by_rules, 1, days=20)
    learning = simulated(there, by_bandit, 1, days=20)
    best = simulated(there, by_liking(there), 1, days=20)
    assert fixed.reports == learning.reports == best.reports > 4000
    assert learning.per_thousand > 1.1 * fixed.per_thousand
    assert learning.late_per_thousand > fixed.late_per_thousand + 0.5 * (
        best.late_per_thousand - fixed.late_per_thousand
    )


def test_in_a_simulation_one_sender_who_clicks_all_day_gets_nowhere() -> None:
    there = world(1)
    quiet, flooded, guarded = (
        simulated(there, by_bandit, 1, days=20, flooded=flooded, guarded=guarded)
        for flooded, guarded in ((False, True), (True, False), (True, True))
    )
    assert flooded.pushed_share > 0.5, "without the guard the product is clicked to the top"
    assert guarded.pushed_share < 0.4 * flooded.pushed_share
    assert guarded.per_thousand > 0.95 * quiet.per_thousand
