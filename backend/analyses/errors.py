"""User errors of analyses."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from backend.config.errors import UserError


class AnalysisUnknown(UserError):
    code = "analysis_unknown"
    status = 404
    detail = _("There is no analysis at this address. Please check it, or send a new photo.")


class AnalysisErased(UserError):
    code = "analysis_erased"
    status = 410
    detail = _("This analysis was erased on request. Nothing is left of it.")


class QueueFull(UserError):
    code = "queue_full"
    status = 503
    detail = _("Too many photos are waiting at the moment. Nothing was stored. Please try again a little later.")

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(self.code)


class QueueStillFull(QueueFull):
    detail = _("Too many photos are waiting at the moment. Your photo is still here. Please try again a little later.")


class StorageUnavailable(UserError):
    code = "storage_away"  # Part of the API, so it keeps its name.
    status = 503
    detail = _("We can’t save photos right now. Nothing was stored. Please try again in a moment.")
    retry_after = 5


class IdempotencyKeyReused(UserError):
    code = "idempotency_key_reused"
    status = 422
    detail = _("This Idempotency-Key was used for another photo or other answers. Please send a new key.")


class IdempotencyKeyInvalid(UserError):
    code = "idempotency_key_invalid"
    status = 422
    detail = _("An Idempotency-Key must be 1 to 255 visible ASCII characters.")


class NotCancelable(UserError):
    code = "not_cancelable"
    status = 409
    detail = _("This analysis has already ended, so there is nothing to cancel.")


class NotRetryable(UserError):
    code = "not_retryable"
    status = 409
    detail = _("Only an analysis that failed or was canceled can be tried again.")


class NoReportYet(UserError):
    code = "no_report_yet"
    status = 409
    detail = _("There is no report yet at this address.")


class ShareEnded(UserError):
    code = "share_ended"
    status = 410
    detail = _("This link no longer works: it has expired or its owner stopped sharing. Ask them for a new one.")


class PhotoPurged(UserError):
    code = "photo_purged"
    status = 404
    detail = _("This photo is no longer here: photos are deleted after a while.")


class NoMap(UserError):
    code = "no_map"
    status = 404
    detail = _("There is no heat map of this sign here. Heat maps are deleted together with the photo.")


class PhotoGone(UserError):
    code = "photo_gone"
    status = 409
    detail = _("The photo has been deleted in the meantime. Please send a new one.")
