"""Wrong usage of `python -m ml bundle`, in one line and with exit code 2."""

from __future__ import annotations

import sys


def misused(error: Exception | str) -> int:
    from pydantic import ValidationError

    from ml.validation import first_fault

    print(
        f"python -m ml bundle: {first_fault(error) if isinstance(error, ValidationError) else error}", file=sys.stderr
    )
    return 2
