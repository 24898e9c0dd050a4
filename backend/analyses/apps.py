from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalysesConfig(AppConfig):
    name = "backend.analyses"
    label = "analyses"
    verbose_name = _("Analyses")

    def ready(self) -> None:
        # Imported late, as they need Django's models.
        from backend.analyses.collectors import analyses
        from backend.analyses.invariants import INVARIANTS
        from backend.operations.collectors import registry
        from backend.operations.invariants import register_invariant

        registry.register(analyses)
        for invariant in INVARIANTS:
            register_invariant(invariant)
