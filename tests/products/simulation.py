"""What learning from clicks gains over a fixed order, and what one sender who clicks all day can spoil.

`python -m tests.products.simulation` prints the tables; all of it is seeded. Invented visitors look at the sample
catalog through the rules and the bandit of the service. Which product they like is drawn without regard to the rules,
and what stands lower is looked at less often. The order learns from one day to the next, as the service's does.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean

from backend.analyses.grades import Grade
from backend.analyses.results import Result
from backend.products.bandit import MAX_CLICKS_PER_DAY, MAX_REPORTS_PER_DAY, SUGGESTION_COUNT, Arm, rank_arms
from backend.products.rules import SIGNS, Uses, fit
from backend.products.selectors.suggestions import report_facts
from ml.labels import SCALP_TYPES

SAMPLES = Path(__file__).parents[2] / "backend" / "products" / "samples.csv"

#: Shares of the grades 0 to 3 in the labels of the AI Hub set, by symptom.
GRADES = (
    (82.8, 6.3, 7.7, 3.2), (19.9, 39.7, 35.0, 5.4), (32.4, 43.0, 18.5, 6.1),
    (95.3, 3.1, 1.1, 0.5), (59.8, 23.5, 13.5, 3.2), (74.1, 19.3, 5.4, 1.2),
)  # fmt: skip
#: How often each place is looked at.
LOOKED_AT = (1.0, 0.75, 0.55, 0.4)
#: The rates of clicks on what is looked at, from the least liked to the most liked.
LIKED = (0.01, 0.16)
DAYS, REPORTS = 60, 300
SEEDS = range(3)
FLOOD_REPORTS = 60  #: of one sender a day
OILY = (0, 2, 0, 0, 0, 0)  #: the sender's scalp, which the product to push suits

#: Arms that fit a report of this type, and the report's own seed, to the arms in order.
Order = Callable[[Sequence[Arm], str, str], list[Arm]]
Known = dict[tuple[int, str], list[int]]


@dataclass(frozen=True)
class World:
    """How often people who see a product click it, by product and type."""

    liking: dict[tuple[int, str], float]

    @property
    def pushed(self) -> int:
        """The product that fits the flooder's scalp and is liked least by those who have one."""
        return min((arm.key for arm in arms(OILY, {})), key=lambda key: self.liking[key, "oily"])


@dataclass
class Outcome:
    """What came of all reports with suggestions: clicks, and those first places that the pushed product had."""

    reports: int = 0
    clicks: int = 0
    oily: int = 0
    pushed_first: int = 0
    late_reports: int = 0
    late_clicks: int = 0

    @property
    def per_thousand(self) -> float:
        return 1000 * self.clicks / self.reports

    @property
    def late_per_thousand(self) -> float:
        """Of the last tenth of the days."""
        return 1000 * self.late_clicks / self.late_reports

    @property
    def pushed_share(self) -> float:
        """Of the first places that others with the flooder's type saw."""
        return self.pushed_first / self.oily


def catalog() -> tuple[Uses, ...]:
    with SAMPLES.open(newline="") as file:
        columns = ("types", "symptoms", "avoid_types", "avoid_symptoms")
        return tuple(
            Uses(*(frozenset(filter(None, row[column].split(";"))) for column in columns))
            for row in csv.DictReader(file)
        )


CATALOG = catalog()


def world(seed: int) -> World:
    rng = random.Random(f"liking {seed}")
    least, most = LIKED
    pairs = [(key, label.key) for key in range(len(CATALOG)) for label in SCALP_TYPES]
    return World({pair: least + (most - least) * rng.betavariate(1, 2) for pair in pairs})


@cache
def fitting(grades: tuple[int, ...]) -> tuple[str, tuple[tuple[int, float], ...]]:
    """The type of these grades, and what of the catalog fits them how well."""
    found = [Grade(sign, grade, (0, 0, 0, 0), 1) for sign, grade in zip(SIGNS, grades, strict=True)]
    report = report_facts(Result("", "", tuple(found), bundle="", demo=False))
    fits = [(key, fit(uses, report)) for key, uses in enumerate(CATALOG)]
    assert report.skin
    return report.skin, tuple((key, found.score) for key, found in fits if found)


def arms(grades: tuple[int, ...], known: Known) -> list[Arm]:
    skin, fits = fitting(grades)
    return [Arm(key, score, *known.get((key, skin), (0, 0))) for key, score in fits]


def simulated(
    there: World, order: Order, seed: int, *, days: int = DAYS, flooded: bool = False, guarded: bool = True
) -> Outcome:
    """Visitors of `days` days, with the flooder among them or not; `guarded`: one sender counts as in the service."""
    told, rng = Outcome(), random.Random(f"visitors {seed}")
    known: Known = {}
    for day in range(days):
        today: list[tuple[int, str, int]] = []
        for number in range(REPORTS):
            grades = tuple(rng.choices(range(4), shares)[0] for shares in GRADES)
            chances = [rng.random() for _ in range(SUGGESTION_COUNT)]
            skin = fitting(grades)[0]
            shown = order(arms(grades, known), skin, f"{day} {number}")[:SUGGESTION_COUNT]
            if not shown:
                continue
            clicked = [
                chance < looked * there.liking[arm.key, skin]
                for arm, chance, looked in zip(shown, chances, LOOKED_AT, strict=False)
            ]
            today += [(arm.key, skin, click) for arm, click in zip(shown, clicked, strict=True)]
            told.reports += 1
            told.clicks += sum(clicked)
            if day >= days * 0.9:
                told.late_reports += 1
                told.late_clicks += sum(clicked)
            if skin == "oily":
                told.oily += 1
                told.pushed_first += shown[0].key == there.pushed
        if flooded:
            today += _flood(there, order, known, day, guarded)
        for key, of, click in today:
            counted = known.setdefault((key, of), [0, 0])
            counted[0] += 1
            counted[1] += click
    return told


def _flood(there: World, order: Order, known: Known, day: int, guarded: bool) -> list[tuple[int, str, int]]:
    """What is counted of a day of one sender, who clicks one product wherever it is shown and nothing else."""
    counted, clicks = [], 0
    for number in range(MAX_REPORTS_PER_DAY if guarded else FLOOD_REPORTS):
        for arm in order(arms(OILY, known), "oily", f"flood {day} {number}")[:SUGGESTION_COUNT]:
            click = arm.key == there.pushed and not (guarded and clicks >= MAX_CLICKS_PER_DAY)
            clicks += click
            counted.append((arm.key, "oily", int(click)))
    return counted


def by_rules(fits: Sequence[Arm], _skin: str, _seed: str) -> list[Arm]:
    """The fixed order: what fits best first."""
    return sorted(fits, key=lambda arm: (-arm.score, arm.key))


def by_bandit(fits: Sequence[Arm], _skin: str, seed: str) -> list[Arm]:
    """The service's order."""
    return rank_arms(fits, seed)


def by_liking(there: World) -> Order:
    """The best order, which only the simulation can know."""
    return lambda fits, skin, _seed: sorted(fits, key=lambda arm: -there.liking[arm.key, skin])


def main() -> None:
    worlds = [(seed, world(seed)) for seed in SEEDS]
    print(f"{len(worlds)} catalogs of {len(CATALOG)} products, {DAYS} days of {REPORTS} reports each.\n")
    print("| order | clicks per 1,000 reports | of the last six days |\n|---|---|---|")
    for name, order in (("rules alone, fixed", by_rules), ("bandit", by_bandit), ("best, unknown to us", None)):
        told = [simulated(there, order or by_liking(there), seed) for seed, there in worlds]
        whole, late = (mean(one.per_thousand for one in told), mean(one.late_per_thousand for one in told))
        print(f"| {name} | {whole:.0f} | {late:.0f} |")
    print(f"\nOne sender with {FLOOD_REPORTS} reports a day who clicks one product only:\n")
    print("| flood | clicks of others per 1,000 reports | first places of that product, of others with that type |")
    print("|---|---|---|")
    for name, options in (
        ("none", {}), ("not guarded", {"flooded": True, "guarded": False}), ("guarded", {"flooded": True}),
    ):  # fmt: skip
        told = [simulated(there, by_bandit, seed, **options) for seed, there in worlds]
        others, first = (mean(one.per_thousand for one in told), mean(one.pushed_share for one in told))
        print(f"| {name} | {others:.0f} | {100 * first:.1f} % |")


if __name__ == "__main__":
    main()
