"""What no fault may break, checked against rows and files: by upkeep every hour and by `check_invariants` on request.

Each app registers its own invariants when Django starts. A violation means that some code, or a person by hand, wrote
what the services never write. Only those are repaired whose repair deletes what should be gone anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog
from django.db.models.functions import Now

from backend.operations.models import InvariantCheck

log = structlog.get_logger(__name__)

#: How many of the rows or files that violate an invariant are logged and printed.
EXAMPLES = 5


@dataclass(frozen=True)
class Invariant:
    """`violations` returns the ids of rows, or the names of files, that violate it.

    `repair` repairs those that it is given, and tolerates that some have been repaired by others in the meantime. None
    if only a person can decide what is right.
    """

    name: str
    statement: str
    violations: Callable[[], Collection[str]]
    repair: Callable[[Collection[str]], object] | None = None


@dataclass(frozen=True)
class Checked:
    invariant: Invariant
    violations: tuple[str, ...]
    repaired: bool


_registered: dict[str, Invariant] = {}


def register_invariant(invariant: Invariant) -> None:
    _registered[invariant.name] = invariant


def registered_invariants() -> tuple[Invariant, ...]:
    return tuple(_registered.values())


def invariants_check(*, repair: bool) -> list[Checked]:
    """Check all invariants, record how many violations each has, and repair what is safe to repair if asked to.

    What is recorded is what was found: a violation that could be repaired is still the sign of a fault.
    """
    checked = []
    for invariant in registered_invariants():
        violations = tuple(sorted(invariant.violations()))
        repaired = repair and invariant.repair is not None and bool(violations)
        if violations:
            log.error(
                "invariant_violated",
                invariant=invariant.name,
                violations=len(violations),
                examples=violations[:EXAMPLES],
                repairing=repaired,
            )
        if repaired and invariant.repair is not None:
            invariant.repair(violations)
        InvariantCheck.objects.update_or_create(
            name=invariant.name, defaults={"violations": len(violations), "checked_at": Now()}
        )
        checked.append(Checked(invariant, violations, repaired))
    return checked
