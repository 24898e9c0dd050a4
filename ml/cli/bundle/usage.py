"""What the actions of `python -m ml bundle` share: options of the provenance, and the report of wrong usage."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.bundle.manifest import Provenance


def read_provenance(options: argparse.Namespace, *, demo: bool) -> Provenance:
    """The provenance from --name, --version, --licence and --trained-on. Raises pydantic's ValidationError."""
    from ml.bundle.manifest import Provenance

    return Provenance(
        name=options.name,
        version=options.version,
        licence=options.licence,
        trained_on=options.trained_on,
        demo=demo,
    )


def report_misuse(error: Exception | str) -> int:
    """Print the error in one line and return exit code 2."""
    from pydantic import ValidationError

    from ml.validation import first_fault

    print(
        f"python -m ml bundle: {first_fault(error) if isinstance(error, ValidationError) else error}", file=sys.stderr
    )
    return 2
