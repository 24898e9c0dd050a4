"""Admin pages of the clinics: search, set a booking address, export."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from import_export import resources

from backend.clinics.models import Clinic
from backend.operations.admin import Exported


class ClinicResource(resources.ModelResource):
    class Meta:
        model = Clinic
        exclude = ("changed_at", "search_text")


@admin.register(Clinic)
class ClinicAdmin(Exported):
    """Only the booking address can be edited; the other columns come from the register."""

    resource_classes = [ClinicResource]
    list_display = ("name", "district", "kind", "specialists", "booking_url", "source")
    list_filter = ("source", "province", ("booking_url", admin.EmptyFieldListFilter), "kind")
    search_fields = ("name", "address", "=key")
    ordering = ("name",)
    readonly_fields = (
        "key", "source", "name", "kind", "province", "district", "address", "phone", "website", "specialists",
        "longitude", "latitude", "changed_at",
    )  # fmt: skip
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("clinics.change_clinic"))
