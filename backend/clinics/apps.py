from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class Clinics(AppConfig):
    name = "backend.clinics"
    label = "clinics"
    verbose_name = _("Clinics")
