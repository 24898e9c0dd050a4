"""Where a clinic is: degrees of WGS84 on Korean ground, whatever the register wrote."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyproj import Transformer

LONGITUDES = (124.0, 132.0)  #: of Korean ground, islands included
LATITUDES = (33.0, 39.0)
#: Licence lists count metres from 200 km west and 500 km south of 38° N, 127° E, on Bessel's ellipsoid
#: (https://epsg.io/5174).
PROJECTED_CRS = "EPSG:5174"
#: No place in degrees is beyond it, and no Korean one in metres of that grid is within it.
MAX_DEGREES = 180.0


class Place(NamedTuple):
    """Degrees, and whether they had to be exchanged or come from metres."""

    longitude: float
    latitude: float
    swapped: bool = False
    projected: bool = False


class NoPlace(ValueError):
    """There is no coordinate; `code` says whether it is `blank`, no number (`unreadable`) or abroad (`outside`)."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def read_place(x: object, y: object) -> Place:
    """The place that these cells of a register mean, x for east and y for north. Raises NoPlace."""
    if _is_blank(x) or _is_blank(y):
        raise NoPlace("blank")
    try:
        east, north = float(str(x).strip()), float(str(y).strip())
    except ValueError:
        raise NoPlace("unreadable") from None
    if not east or not north:
        raise NoPlace("blank")  # Registers write 0 where they know none.
    if _is_korean(east, north):
        return Place(east, north)
    if _is_korean(north, east):
        return Place(north, east, swapped=True)
    for first, second, swapped in ((east, north, False), (north, east, True)):
        if min(abs(first), abs(second)) > MAX_DEGREES:
            longitude, latitude = _degrees().transform(first, second)
            if _is_korean(longitude, latitude):
                return Place(round(longitude, 7), round(latitude, 7), swapped, projected=True)
    raise NoPlace("outside")


def _is_blank(cell: object) -> bool:
    return cell is None or not str(cell).strip()


def _is_korean(longitude: float, latitude: float) -> bool:
    return LONGITUDES[0] <= longitude <= LONGITUDES[1] and LATITUDES[0] <= latitude <= LATITUDES[1]


@cache
def _degrees() -> Transformer:
    from pyproj import Transformer  # The web role has no use for it.

    return Transformer.from_crs(PROJECTED_CRS, "EPSG:4326", always_xy=True)
