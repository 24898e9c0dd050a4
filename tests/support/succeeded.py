"""What every test of faults asks in the end."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.stack import Stack


def assert_each_succeeded_once(stack: Stack, ids: Sequence[str], seconds: float = 90) -> None:
    """Each of these ends with one `Human` and six findings within `seconds`, and every `Human` has its analysis."""
    ids = list(ids)
    assert [stack.wait(analysis_id, seconds)["status"] for analysis_id in ids] == ["succeeded"] * len(ids)
    humans = stack.rows(f"list(Human.objects.filter(analysis__in={ids}).values_list('id', flat=True))")
    assert len(humans) == len(set(humans)) == len(ids)
    assert stack.rows(f"Finding.objects.filter(analysis__in={ids}).count()") == 6 * len(ids)
    assert stack.rows("Human.objects.filter(analysis=None).count()") == 0
