from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalysesConfig(AppConfig):
    name = "backend.analyses"
    label = "analyses"
    verbose_name = _("Analyses")

    def ready(self) -> None:
        # Imported late, as it needs Django's models.
        from backend.analyses.collectors import analyses
        from backend.operations.collectors import registry

        registry.register(analyses)
