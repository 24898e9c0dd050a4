"""Admin pages of the products: the catalog to edit, impressions and clicks to view, and all of it to export."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from import_export import resources

from backend.analyses.presentation.words import label_word
from backend.operations.admin import Exported
from backend.operations.web_addresses import validate_web_address
from backend.products.models import Click, Product, Show
from ml.labels import SCALP_TYPES, SYMPTOMS, Label


class ProductForm(forms.ModelForm):
    """A product, with checkboxes for its lists of types and signs."""

    url = forms.URLField(label=_("link"), max_length=300, validators=[validate_web_address], assume_scheme="https")

    class Meta:
        model = Product
        exclude = ("sample",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("suits_types", "suits_signs", "avoid_types", "avoid_signs"):
            if name in self.fields:
                self.fields[name] = _checkbox_field(
                    self.fields[name].label, SCALP_TYPES if name.endswith("types") else SYMPTOMS
                )


def _checkbox_field(name: Any, labels: tuple[Label, ...]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=name,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(label.key, label_word(label)) for label in labels],
    )


class ProductResource(resources.ModelResource):
    class Meta:
        model = Product
        exclude = ("id",)


@admin.register(Product)
class ProductAdmin(Exported):
    """Products can't be deleted here, as their clicks would be deleted too. Take them out of the catalog instead."""

    form = ProductForm
    resource_classes = [ProductResource]
    list_display = ("name", "maker", "kind", "active", "sample", "url")
    list_filter = ("kind", "active", "sample", "maker")
    search_fields = ("name", "name_en", "maker", "ingredients", "=key")
    ordering = ("kind", "name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("products.add_product"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("products.change_product"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("key",) if obj else ()


class ClickResource(resources.ModelResource):
    class Meta:
        model = Click
        exclude = ("id",)


@admin.register(Click)
class ClickAdmin(Exported):
    resource_classes = [ClickResource]
    list_display = ("product", "skin", "pred", "sex", "age", "at")
    list_filter = ("skin", "pred", "sex", "age", "at")
    search_fields = ("product__name", "=product__key")
    list_select_related = ("product",)
    ordering = ("-at", "product")
    show_full_result_count = False


class ShowResource(resources.ModelResource):
    class Meta:
        model = Show
        exclude = ("id",)


@admin.register(Show)
class ShowAdmin(Exported):
    resource_classes = [ShowResource]
    list_display = ("day", "product", "skin", "shows")
    list_filter = ("skin", "day")
    search_fields = ("product__name", "=product__key")
    list_select_related = ("product",)
    ordering = ("-day", "skin", "-shows")
    show_full_result_count = False
