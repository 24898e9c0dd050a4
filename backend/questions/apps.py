from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QuestionsConfig(AppConfig):
    name = "backend.questions"
    label = "questions"
    verbose_name = _("Questions")

    def ready(self) -> None:
        # Imported late, as they need Django's models.
        from backend.operations.invariants import register_invariant
        from backend.questions.invariants import UNANSWERED_END

        register_invariant(UNANSWERED_END)
