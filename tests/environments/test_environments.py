"""The environments of the matrix that any user can have and that install nothing, two runs for several at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.environments.matrix import ODD_FOLDER, SURROUNDINGS, Surroundings, run_in

pytestmark = pytest.mark.processes

UNUSUAL = Surroundings(
    "an odd folder, no HOME, C locale, proxies that are not there, and a parent that ignores SIGINT",
    before=SURROUNDINGS["sigint"].before,
    variables={
        **SURROUNDINGS["no-home"].variables,
        **SURROUNDINGS["locale"].variables,
        **SURROUNDINGS["proxies"].variables,
    },
    folder=ODD_FOLDER,
)


def test_make_run_works_in_an_unusual_environment(tmp_path: Path, small_bundle: Path) -> None:
    assert run_in(UNUSUAL, tmp_path, small_bundle).status in {"succeeded", "rejected"}


def test_a_failure_is_told(tmp_path: Path, small_bundle: Path) -> None:
    with pytest.raises(AssertionError, match="SCALP_PORT is 'none'"):
        run_in(replace(UNUSUAL, variables={"SCALP_PORT": "none"}), tmp_path, small_bundle)
