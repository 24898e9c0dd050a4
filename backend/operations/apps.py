from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "backend.operations"
    label = "operations"
    verbose_name = _("Operations")

    def ready(self) -> None:
        # Only now: what is noted needs Django's models to be there.
        from backend.operations.audit import connect_login_signals

        connect_login_signals()
