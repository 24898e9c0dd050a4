"""The catalogue by kind and alphabet: nothing that could be paid for is in the order."""

from __future__ import annotations

from itertools import groupby

from backend.products.errors import ProductUnknown, SkinUnknown
from backend.products.kinds import ProductKind
from backend.products.models import Product
from ml.labels import SCALP_TYPES

_PLACE = {kind: place for place, kind in enumerate(ProductKind)}


def catalogue(skin: str | None = None) -> list[Product]:
    """The products that are in it, those that suit a type if one is named by key or Korean word. Raises SkinUnknown."""
    key = next((label.key for label in SCALP_TYPES if skin in {label.key, label.korean}), None)
    if skin is not None and key is None:
        raise SkinUnknown
    products = [product for product in Product.objects.filter(active=True) if not key or key in product.suits_types]
    return sorted(products, key=lambda one: (_PLACE[ProductKind(one.kind)], one.said("name").casefold(), one.pk))


def catalogue_by_kind() -> list[tuple[ProductKind, list[Product]]]:
    return [
        (kind, list(products)) for kind, products in groupby(catalogue(), key=lambda product: ProductKind(product.kind))
    ]


def product_get(product_id: int) -> Product:
    """A product of the catalogue. Raises ProductUnknown."""
    product = Product.objects.filter(pk=product_id, active=True).first()
    if product is None:
        raise ProductUnknown
    return product


def catalogue_is_sample() -> bool:
    return Product.objects.filter(sample=True, active=True).exists()
