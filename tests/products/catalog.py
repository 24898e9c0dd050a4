"""Products for tests."""

from __future__ import annotations

from typing import Any

from backend.products.kinds import ProductKind
from backend.products.models import Product


def product(name: str, **columns: Any) -> Product:
    """A shampoo for oily scalps and their sebum, unless told otherwise."""
    given = {
        "key": f"csv:{name}",
        "kind": ProductKind.SHAMPOO,
        "maker": "Maker",
        "ingredients": "정제수",
        "ingredients_en": "Water",
        "suits_types": ["oily"],
        "suits_signs": ["excess_sebum"],
        "url": f"https://shop.example/{len(name)}",
    }
    return Product.objects.create(name=name, **(given | columns))
