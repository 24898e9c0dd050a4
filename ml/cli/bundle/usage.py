"""Wrong usage of `python -m ml bundle`."""

from __future__ import annotations

import sys


def report_misuse(error: Exception | str) -> int:
    """Print the error in one line and return exit code 2."""
    from pydantic import ValidationError

    from ml.validation import first_fault

    print(
        f"python -m ml bundle: {first_fault(error) if isinstance(error, ValidationError) else error}", file=sys.stderr
    )
    return 2
