"""Errors for users."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from backend.config.errors import UserError


class QuestionMissing(UserError):
    code = "question_missing"
    status = 422
    detail = _("Please write a question of at most 200 characters.")


class TooManyQuestions(UserError):
    code = "too_many_requests"
    status = 429
    detail = _("Too many questions came from your address. Please wait a moment and try again.")

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(self.code)


class EntryUnknown(UserError):
    code = "entry_unknown"
    status = 404
    detail = _("There’s no answer at this address. It may have been replaced.")
