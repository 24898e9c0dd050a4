"""What no fault may break: each violation is found and named, and only what should be gone is repaired."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone

from backend.analyses.models import Analysis, Erasure, Finding, Human, Share
from backend.analyses.services.control import analysis_erase
from backend.analyses.services.sharing import share_create
from backend.operations.collectors import exposition
from backend.operations.invariants import Checked, invariants_check, registered_invariants
from backend.questions.models import Unanswered
from tests.support.analyses import IN_STATUS, fresh, queued, running, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("broker")]

HOURS = 3600.0


def violated(*, repair: bool = False) -> dict[str, Checked]:
    return {checked.invariant.name: checked for checked in invariants_check(repair=repair) if checked.violations}


def lose_a_finding(_storage: Path) -> str:
    analysis = succeeded()
    Finding.objects.filter(analysis=analysis, symptom="dandruff").delete()
    return str(analysis.id)


def lose_a_human(_storage: Path) -> str:
    analysis = succeeded()
    human = analysis.human
    assert human is not None
    Analysis.objects.filter(pk=analysis.pk).update(human=None)
    human.delete()
    return str(analysis.id)


def undo_a_success(_storage: Path) -> str:
    analysis = succeeded()
    Analysis.objects.filter(pk=analysis.pk).update(status="failed")
    return str(analysis.id)


def count_somebody_twice(_storage: Path) -> str:
    human = succeeded().human
    assert human is not None
    human.pk = None
    human.save()
    return str(human.pk)


def lose_a_photo(storage: Path) -> str:
    analysis = queued()
    (storage / analysis.photo).unlink()
    return str(analysis.id)


def leave_a_file(storage: Path) -> str:
    queued()
    file = storage / "left.jpg"
    file.write_bytes(b"\xff")
    then = time.time() - 4 * HOURS
    os.utime(file, (then, then))
    return file.name


def forget_the_purge(_storage: Path) -> str:
    return overdue(succeeded())


def keep_a_map(storage: Path) -> str:
    analysis = succeeded()
    (storage / analysis.photo).unlink()
    Analysis.objects.filter(pk=analysis.pk).update(photo="")
    Finding.objects.filter(analysis=analysis, symptom="dandruff").update(map=bytes(256))
    return str(analysis.id)


def wait_for_ever(_storage: Path) -> str:
    return overdue(queued())


def overlook_a_lease(_storage: Path) -> str:
    analysis = running()
    Analysis.objects.filter(pk=analysis.pk).update(lease_until=F("lease_until") - timedelta(days=1))
    return str(analysis.id)


def bring_back_what_was_erased(_storage: Path) -> str:
    analysis = succeeded()
    Erasure.objects.create(pk=analysis.pk)
    return str(analysis.id)


def keep_a_link(_storage: Path) -> str:
    share = share_create(succeeded().id)
    Share.objects.update(expires_at=timezone.now() - timedelta(days=1))
    return str(share.id)


def keep_a_question(_storage: Path) -> str:
    question = Unanswered.objects.create(text="quokka?", language="en", nearest="")
    Unanswered.objects.update(asked_on=timezone.localdate() - timedelta(days=100))
    return str(question.pk)


def overdue(analysis: Analysis) -> str:
    Analysis.objects.filter(pk=analysis.pk).update(purge_at=timezone.now() - timedelta(hours=2))
    return str(analysis.id)


#: What breaks each invariant, and whether that can be repaired without anyone's decision.
BREAKS: dict[str, tuple[Callable[[Path], str], bool]] = {
    "six_findings": (lose_a_finding, False),
    "one_human": (lose_a_human, False),
    "no_other_results": (undo_a_success, False),
    "no_other_humans": (count_somebody_twice, False),
    "photo_stored": (lose_a_photo, False),
    "photo_has_row": (leave_a_file, True),
    "photo_purged": (forget_the_purge, False),
    "map_purged": (keep_a_map, True),
    "waits_end": (wait_for_ever, False),
    "leases_end": (overlook_a_lease, False),
    "erased_is_gone": (bring_back_what_was_erased, True),
    "shares_end": (keep_a_link, True),
    "questions_end": (keep_a_question, True),
}


def test_each_invariant_is_broken_once_below() -> None:
    assert BREAKS.keys() == {invariant.name for invariant in registered_invariants()}


@pytest.mark.usefixtures("storage")
def test_what_the_services_do_breaks_none() -> None:
    for make in IN_STATUS.values():
        make()
    share_create(succeeded().id)
    analysis_erase(succeeded().id)
    assert violated() == {}


@pytest.mark.parametrize("name", BREAKS)
def test_a_violation_is_found_and_repaired_only_where_that_is_safe(storage: Path, name: str) -> None:
    kept = succeeded()
    what, repairable = BREAKS[name]
    culprit = what(storage)
    found = violated(repair=True)
    assert {key: checked.violations for key, checked in found.items()} == {name: (culprit,)}
    assert found[name].repaired is repairable
    assert (violated() == {}) is repairable
    assert fresh(kept).findings.count() == 6
    assert (storage / kept.photo).exists()


def test_what_is_left_of_an_erased_analysis_goes_with_its_photo_and_human(
    storage: Path, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    bring_back_what_was_erased(storage)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        violated(repair=True)
    assert not Analysis.objects.exists()
    assert not Human.objects.exists()
    assert list(storage.iterdir()) == []


def test_the_command_names_what_is_violated_and_ends_with_an_error(storage: Path) -> None:
    written = io.StringIO()
    call_command("check_invariants", stdout=written)
    assert "VIOLATED" not in written.getvalue()
    culprit = lose_a_finding(storage)
    with pytest.raises(CommandError, match="1 invariants were violated"):
        call_command("check_invariants", "--repair", stdout=written)
    assert culprit in written.getvalue()


def test_the_metric_has_the_last_check(storage: Path) -> None:
    lose_a_finding(storage)
    invariants_check(repair=False)
    exported = exposition().decode()
    assert 'scalp_invariant_violations{invariant="six_findings"} 1.0' in exported
    assert 'scalp_invariant_violations{invariant="one_human"} 0.0' in exported
