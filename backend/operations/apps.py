from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "backend.operations"
    label = "operations"
    verbose_name = _("Operations")

    def ready(self) -> None:
        # Imported late, as it needs Django's models.
        from backend.operations.audit import connect_login_signals

        connect_login_signals()
