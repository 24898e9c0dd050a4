from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalysesConfig(AppConfig):
    name = "backend.analyses"
    label = "analyses"
    verbose_name = _("Analyses")

    def ready(self) -> None:
        # Only now: the rows that are counted need Django's models to be there.
        from backend.analyses.collectors import analyses
        from backend.operations.collectors import registry

        registry.register(analyses)
