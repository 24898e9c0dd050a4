"""All cases, and a sample of them in which each family is."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

from tests.hostile.bombs import bombs
from tests.hostile.case import Case
from tests.hostile.damage import damaged
from tests.hostile.disguises import disguises
from tests.hostile.forms import forms
from tests.hostile.metadata import metadata
from tests.hostile.structure import structures

SEED = 1


def corpus(seed: int = SEED) -> list[Case]:
    """Every case. The seed moves the places of the damage; the rest is as it is written."""
    cases = [*damaged(seed), *structures(), *bombs(), *metadata(), *disguises(), *forms()]
    names = [str(case) for case in cases]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})
    return cases


def families(cases: Iterable[Case]) -> dict[str, list[Case]]:
    found = defaultdict(list)
    for case in cases:
        found[case.family].append(case)
    return dict(found)


def sample(many: int, seed: int = SEED) -> list[Case]:
    """About `many` cases, chosen by the seed: of each family its share, and at least three."""
    dice = random.Random(seed)
    cases = corpus(seed)
    share = many / len(cases)
    chosen = []
    for of_one in families(cases).values():
        chosen += dice.sample(of_one, min(len(of_one), max(3, round(len(of_one) * share))))
    return chosen
