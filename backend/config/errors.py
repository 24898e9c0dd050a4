"""Errors for users. Whatever is not one of these is an error for us, and is logged with its cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise


class UserError(Exception):
    """What happened and what to do, in the reader's language, with a stable `code` and an HTTP `status`."""

    code: str
    status: int
    detail: str | Promise
    retry_after: int | None = None  #: seconds

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of a submission."""

    field: str
    code: str
    detail: str | Promise


class InvalidFields(UserError):
    """A submission whose fields do not hold; `errors` names each."""

    code = "invalid"
    status = 422

    def __init__(self, detail: str | Promise, errors: Sequence[FieldError]) -> None:
        self.detail = detail
        self.errors = tuple(errors)
        super().__init__(self.code)
