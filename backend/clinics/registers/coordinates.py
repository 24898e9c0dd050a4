"""Coordinates of a clinic in degrees (WGS84), in whatever form the register has them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyproj import Transformer

LONGITUDES = (124.0, 132.0)  #: the range of South Korea, including islands
LATITUDES = (33.0, 39.0)
#: License lists have meters from a point 200 km west and 500 km south of 38° N, 127° E, on the Bessel ellipsoid
#: (https://epsg.io/5174).
PROJECTED_CRS = "EPSG:5174"
#: No coordinate in degrees exceeds it, and every Korean one in meters does.
MAX_DEGREES = 180.0


class Coordinates(NamedTuple):
    """Degrees, and whether they were swapped or in meters."""

    longitude: float
    latitude: float
    swapped: bool = False
    projected: bool = False


class CoordinatesMissing(ValueError):
    """A row has no usable coordinates: they are `blank`, not numbers (`unreadable`) or not in Korea (`outside`)."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def read_coordinates(x: object, y: object) -> Coordinates:
    """The coordinates in two cells of a register, x for east and y for north. Raises CoordinatesMissing."""
    if _is_blank(x) or _is_blank(y):
        raise CoordinatesMissing("blank")
    try:
        east, north = float(str(x).strip()), float(str(y).strip())
    except ValueError:
        raise CoordinatesMissing("unreadable") from None
    if not east or not north:
        raise CoordinatesMissing("blank")  # Registers write 0 for unknown coordinates.
    if _is_korean(east, north):
        return Coordinates(east, north)
    if _is_korean(north, east):
        return Coordinates(north, east, swapped=True)
    for first, second, swapped in ((east, north, False), (north, east, True)):
        if min(abs(first), abs(second)) > MAX_DEGREES:
            longitude, latitude = _degrees().transform(first, second)
            if _is_korean(longitude, latitude):
                return Coordinates(round(longitude, 7), round(latitude, 7), swapped, projected=True)
    raise CoordinatesMissing("outside")


def _is_blank(cell: object) -> bool:
    return cell is None or not str(cell).strip()


def _is_korean(longitude: float, latitude: float) -> bool:
    return LONGITUDES[0] <= longitude <= LONGITUDES[1] and LATITUDES[0] <= latitude <= LATITUDES[1]


@cache
def _degrees() -> Transformer:
    from pyproj import Transformer  # Imported here because the web role does not need it.

    return Transformer.from_crs(PROJECTED_CRS, "EPSG:4326", always_xy=True)
