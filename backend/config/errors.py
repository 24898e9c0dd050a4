"""Errors for users. Any other exception is a server error and is logged with its cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Codes and sentences for errors that Django and DRF raise themselves.
COMMON: dict[int, tuple[str, Promise]] = {
    400: ("malformed", _("The request could not be understood.")),
    403: ("forbidden", _("This is not allowed.")),
    404: ("not_found", _("There is nothing at this address.")),
    405: ("method_not_allowed", _("This address does not accept this method.")),
    406: ("not_acceptable", _("This service answers only in JSON.")),
    411: ("length_required", _("Please give the length of the request in Content-Length.")),
    413: (
        "photo_too_large",
        _("The photo is larger than 10 MB. Please send a smaller one or lower the camera's resolution."),
    ),
    415: ("unsupported_media_type", _("Please send photos as multipart/form-data and everything else as JSON.")),
    429: (
        "too_many_requests",
        _("Too many photos came from your address. Please wait a moment and try again."),
    ),
    503: ("unavailable", _("The service can’t reach its database right now. Please try again in a moment.")),
    500: (
        "internal_error",
        _("Something went wrong on our side. Please try again; nothing that we accepted has been lost."),
    ),
}


class UserError(Exception):
    """What happened and what to do, in the user's language, with a stable `code` and an HTTP `status`."""

    code: str
    status: int
    detail: str | Promise
    retry_after: int | None = None  #: seconds

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    @classmethod
    def codes(cls) -> dict[str, tuple[int, str | Promise]]:
        """The codes of this class, each with its HTTP status and what it says."""
        return {cls.code: (cls.status, cls.detail)}


FieldErrorCode = Literal["required", "unknown_choice", "invalid"]


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of a submission."""

    field: str
    code: FieldErrorCode
    detail: str | Promise


class InvalidFields(UserError):
    """A submission with invalid fields; `errors` lists them."""

    code = "invalid"
    status = 422
    detail: str | Promise = _("Some answers are missing or not valid. Nothing was stored.")

    def __init__(self, detail: str | Promise, errors: Sequence[FieldError]) -> None:
        self.detail = detail
        self.errors = tuple(errors)
        super().__init__(self.code)


def error_codes() -> dict[str, tuple[int, str | Promise]]:
    """Every code that an error may have, with its HTTP status and what it says.

    Only of errors whose modules have been imported, which the addresses of the API see to.
    """
    codes: dict[str, tuple[int, str | Promise]] = {code: (status, text) for status, (code, text) in COMMON.items()}
    classes = UserError.__subclasses__()
    for error in classes:
        codes = error.codes() | codes
        classes += error.__subclasses__()
    return dict(sorted(codes.items()))
