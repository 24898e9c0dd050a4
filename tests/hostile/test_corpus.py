"""A sample of the corpus against the running web server: `make fuzz` sends all of it."""

from __future__ import annotations

import pytest

from tests.hostile.corpus import corpus, families, sample
from tests.hostile.trial import Trial, table
from tests.support.stack import Stack

pytestmark = pytest.mark.processes


def test_the_corpus_is_large_and_the_same_for_the_same_seed() -> None:
    cases = corpus(seed=3)
    assert len(cases) >= 1000
    assert [str(case) for case in cases] == [str(case) for case in corpus(seed=3)]
    damaged = [case for case in cases if case.family in {"cut", "flipped", "shuffled"}][::40]
    assert [case.make() for case in damaged] == [case.make() for case in damaged]


def test_every_family_is_in_the_sample() -> None:
    assert families(sample(300)).keys() == families(corpus()).keys()


@pytest.mark.timeout(240)
def test_hostile_input_causes_no_server_error_growth_hang_or_leftovers(web: Stack) -> None:
    trial = Trial(web)
    trial.hold(sample(40))  # What a process needs once and keeps it takes here.
    report = trial.hold(sample(300))
    print(table(report))
    assert not report.faults, "\n".join(report.faults)
    said = web.log("web").read_text()
    assert "internal_error" not in said
    assert "Traceback" not in said
