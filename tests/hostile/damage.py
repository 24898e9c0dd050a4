"""Files that were cut, flipped, shuffled and stretched on their way, at places that a seed chooses."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator

from tests.hostile import formats
from tests.hostile.case import PHOTO, UNSUPPORTED, Case, photo_case

#: The size in bytes of a file's head, where damage does most.
HEAD = 400


def damaged(seed: int) -> Iterator[Case]:
    for kind, make in formats.ACCEPTED.items():
        whole = functools.cache(make)
        yield photo_case("whole", kind, whole, frozenset({202}))
        for number in range(24):
            yield _case("cut", kind, number, seed, whole, _cut)
        for number in range(40):
            yield _case("flipped", kind, number, seed, whole, _flipped)
        for number in range(12):
            yield _case("shuffled", kind, number, seed, whole, _SHUFFLES[number % len(_SHUFFLES)])
    for kind, make in formats.REFUSED.items():
        whole = functools.cache(make)
        yield photo_case("foreign", kind, whole, UNSUPPORTED)
        for number in range(3):
            yield _case("foreign", f"{kind}, cut", number, seed, whole, _cut, UNSUPPORTED | {422})
            yield _case("foreign", f"{kind}, flipped", number, seed, whole, _flipped)


Damage = Callable[[bytearray, random.Random], bytes | bytearray]


def _case(
    family: str,
    kind: str,
    number: int,
    seed: int,
    whole: Callable[[], bytes],
    damage: Damage,
    statuses: frozenset[int] = PHOTO,
) -> Case:
    name = f"{kind}, {damage.__name__.lstrip('_').replace('_', ' ')}, number {number}"

    def make() -> bytes:
        # A string as the seed: hashes of tuples differ between processes.
        return bytes(damage(bytearray(whole()), random.Random(f"{seed} {family} {kind} {number}")))

    return photo_case(family, name, make, statuses)


def _place(data: bytearray, dice: random.Random) -> int:
    """Every other one in the head."""
    return dice.randrange(min(HEAD, len(data)) if dice.random() < 0.5 else len(data))


def _cut(data: bytearray, dice: random.Random) -> bytearray:
    return data[: _place(data, dice)]


def _flipped(data: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        data[_place(data, dice)] ^= 1 << dice.randrange(8)
    return data


def _overwritten(data: bytearray, dice: random.Random) -> bytearray:
    place = _place(data, dice)
    many = dice.choice((1, 4, 64, 1024))
    data[place : place + many] = dice.choice((bytes(many), b"\xff" * many, dice.randbytes(many)))
    return data


def _repeated(data: bytearray, dice: random.Random) -> bytearray:
    place = _place(data, dice)
    run = data[place : place + dice.choice((2, 16, 256, 4096))]
    return data[:place] + run * dice.choice((2, 50)) + data[place:]


def _with_a_hole(data: bytearray, dice: random.Random) -> bytearray:
    place = _place(data, dice)
    return data[:place] + data[place + dice.choice((1, 7, 100, 1000)) :]


def _spliced(data: bytearray, dice: random.Random) -> bytearray:
    """The head of one format on the body of another."""
    other = formats.ACCEPTED[dice.choice(sorted(formats.ACCEPTED))]()
    return data[: _place(data, dice)] + other[dice.randrange(len(other)) :]


_SHUFFLES = (_overwritten, _repeated, _with_a_hole, _spliced)
