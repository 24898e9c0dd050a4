"""The catalog of faults.

A fault is a generator over the running stack and its load: what comes before its `yield` injects it, and what comes
after it, once every analysis has ended, must hold beside the invariant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.chaos.load import Load
from tests.chaos.supervised_stack import SupervisedStack

Injection = Callable[[SupervisedStack, Load], Iterator[None]]


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    name: str
    sentence: str
    inject: Injection
    database: str | None = None  #: the only one that can have it
    ends: Mapping[str, int] = field(default_factory=dict)  #: how many end otherwise than succeeded, by status and code
    pace: float = 1.0  #: over how much more time than usual the photos are spread


CATALOG: dict[str, Fault] = {}


def fault(
    sentence: str, *, database: str | None = None, ends: Mapping[str, int] | None = None, pace: float = 1.0
) -> Callable[[Injection], Injection]:
    """Enter an injection in the catalog, under the name of its function."""

    def enter(inject: Injection) -> Injection:
        name = inject.__name__.replace("_", "-")
        CATALOG[name] = Fault(name, sentence, inject, database, ends or {}, pace)
        return inject

    return enter


def catalog(database: str) -> dict[str, Fault]:
    """The faults that a service on this database can have, in the order of the table."""
    from tests.chaos.faults import (  # noqa: F401 - each enters its faults when it is imported
        brokers,
        clocks,
        databases,
        devices,
        photos,
        postgresql,
        rollouts,
        storages,
        upkeep,
        workers,
    )

    return {name: one for name, one in CATALOG.items() if one.database in {None, database}}
