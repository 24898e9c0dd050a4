"""Tables of a group's statistics, with a bar in each row."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from backend.analyses.models import Age, Sex
from backend.analyses.pages import plot
from backend.analyses.presentation.words import label_word, type_name
from backend.statistics.selectors.groups import Group, Place, StatisticsByGroup
from ml.labels import GRADES


@dataclass(frozen=True)
class Bar:
    """A row: its name, its shares in percent and their bar, as long as all results are the whole width.

    `own`: the reader's result belongs to it.
    """

    name: str
    percents: tuple[int, ...]
    strip: SafeString
    own: bool = False

    @property
    def legend(self) -> list[tuple[str, int]]:
        """The shares of a bar of degrees, by their names."""
        return [(label_word(grade), percent) for grade, percent in zip(GRADES, self.percents, strict=True)]


def group_name(group: Group) -> str:
    sex = Sex(group.sex).label if group.sex else _("all sexes")
    age = Age(group.age).label if group.age else _("all ages")
    return f"{sex} · {age}"


def skin_bars(group: Group, own: str | None = None) -> list[Bar]:
    """The most common type first."""
    ranked = sorted(group.skins.items(), key=lambda one: -one[1])
    return [
        Bar(type_name(key), (_percent(share),), plot.strip([("own" if key == own else "bar", share)], 1), key == own)
        for key, share in ranked
    ]


def degree_bars(group: Group, own: int | None = None) -> list[Bar]:
    return [
        Bar(label_word(GRADES[n]), (_percent(share),), plot.strip([(f"g-{n}", share)], 1), n == own)
        for n, share in enumerate(group.preds)
    ]


def age_bars(published: StatisticsByGroup, sex: str | None) -> list[Bar]:
    """The shares of the four degrees by age group, for the groups that are published."""
    groups = [(age, published.group(sex, age)) for age in Age]
    return [Bar(str(age.label), tuple(map(_percent, group.preds)), _stack(group)) for age, group in groups if group]


def place_percents(place: Place) -> dict[str, int]:
    """Lower, same and higher in whole percent that add up to 100."""
    lower, higher = _percent(place.lower), _percent(place.higher)
    return {"lower": lower, "same": 100 - lower - higher, "higher": higher}


def _stack(group: Group) -> SafeString:
    return plot.strip([(f"g-{n}", share) for n, share in enumerate(group.preds)], 1)


def _percent(share: float) -> int:
    return round(100 * share)
