"""The catalog, sorted by kind and name, so that no place in it can be bought."""

from __future__ import annotations

from itertools import groupby

from backend.products.errors import ProductUnknown, SkinUnknown
from backend.products.kinds import ProductKind
from backend.products.models import Product
from backend.products.rules import TYPES
from ml.labels import TYPE_KEY_BY_WORD

_KIND_ORDER = {kind: position for position, kind in enumerate(ProductKind)}


def catalog(skin: str | None = None) -> list[Product]:
    """The active products; with `skin`, the key or Korean word of a type, those that suit it. Raises SkinUnknown."""
    key = TYPE_KEY_BY_WORD.get(skin, skin) if skin is not None else None
    if key is not None and key not in TYPES:
        raise SkinUnknown
    products = [product for product in Product.objects.filter(active=True) if not key or key in product.suits_types]
    return sorted(
        products, key=lambda one: (_KIND_ORDER[ProductKind(one.kind)], one.localized("name").casefold(), one.pk)
    )


def catalog_by_kind() -> list[tuple[ProductKind, list[Product]]]:
    return [
        (kind, list(products)) for kind, products in groupby(catalog(), key=lambda product: ProductKind(product.kind))
    ]


def product_get(product_id: int) -> Product:
    """An active product. Raises ProductUnknown."""
    product = Product.objects.filter(pk=product_id, active=True).first()
    if product is None:
        raise ProductUnknown
    return product


def catalog_is_sample() -> bool:
    return Product.objects.filter(sample=True, active=True).exists()
