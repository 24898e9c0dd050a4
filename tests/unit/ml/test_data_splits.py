"""Splits by person: no one in two parts, grades spread alike, the same again from the same seed."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.data.files import StoredFile
from ml.data.records import Record
from ml.data.splits import DEFAULT_FRACTIONS, Split, grade_deviation, split_by_person
from ml.errors import SplitInvalid

#: Grade shares of the real set in %, symptom by symptom, over its 91,156 pictures.
SHARES = (
    (82.8, 6.3, 7.7, 3.2),
    (19.9, 39.7, 35.0, 5.4),
    (32.4, 43.0, 18.5, 6.1),
    (95.3, 3.1, 1.1, 0.5),
    (59.8, 23.5, 13.5, 3.2),
    (74.1, 19.3, 5.4, 1.2),
)


def record(person: int, number: int, grades: tuple[int, ...]) -> Record:
    identity = f"{person:04d}_D_{1602578303771 + number}_2_TH"
    return Record(identity, grades, f"{person:04d}", "D", "TH", None, None, (), (), 1, StoredFile("/nowhere"))


def drawn(persons: int, seed: int = 0) -> list[Record]:
    """Pictures with the real set's grade shares; each person has 5 to 60 and a leaning of its own."""
    chance = random.Random(seed)
    records = []
    for person in range(persons):
        leaning = [[share * chance.uniform(0.3, 1.7) for share in shares] for shares in SHARES]
        for number in range(chance.randint(5, 60)):
            grades = tuple(chance.choices(range(4), shares)[0] for shares in leaning)
            records.append(record(person, number, grades))
    return records


RECORDS = drawn(150)


@st.composite
def some_records(draw: st.DrawFn) -> list[Record]:
    """3 to 25 persons with 1 to 8 pictures of any grades."""
    grades = st.tuples(*[st.integers(0, 3)] * 6)
    pictures = draw(st.lists(st.lists(grades, min_size=1, max_size=8), min_size=3, max_size=25))
    return [record(person, n, each) for person, group in enumerate(pictures) for n, each in enumerate(group)]


@given(some_records(), st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_a_split_shares_no_person_has_no_empty_part_and_is_deterministic(
    records: list[Record], seed: int, chance: random.Random
) -> None:
    split = split_by_person(records, seed=seed)
    parts = split.divide(records)
    persons = [{each.person for each in group} for group in parts.values()]
    assert all(persons)
    assert sum(map(len, persons)) == len(set.union(*persons))
    assert sorted(each.id for group in parts.values() for each in group) == sorted(each.id for each in records)
    shuffled = chance.sample(records, len(records))
    assert split_by_person(shuffled, seed=seed) == split


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("fractions", [dict(DEFAULT_FRACTIONS), {"a": 0.5, "b": 0.5}, {"a": 0.6, "b": 0.3, "c": 0.1}])
def test_pictures_and_grades_are_spread_by_the_fractions(seed: int, fractions: dict[str, float]) -> None:
    parts = split_by_person(RECORDS, fractions, seed=seed).divide(RECORDS)
    for part, fraction in fractions.items():
        assert len(parts[part]) / len(RECORDS) == pytest.approx(fraction, abs=0.02)
    assert grade_deviation(parts) < 0.06
    # The rarest grade of all, 0.5 % of the pictures, is in every part.
    assert all(any(each.grades[3] == 3 for each in group) for group in parts.values())


def test_grades_are_spread_better_than_by_chance() -> None:
    persons = sorted({each.person for each in RECORDS})

    def by_chance(seed: int) -> float:
        random.Random(seed).shuffle(shuffled := persons.copy())
        part_of = {person: number * 10 // len(shuffled) for number, person in enumerate(shuffled)}
        parts: dict[str, list[Record]] = {"training": [], "validation": [], "test": []}
        for each in RECORDS:
            parts[{8: "validation", 9: "test"}.get(part_of[each.person], "training")].append(each)
        return grade_deviation(parts)

    stratified = [grade_deviation(split_by_person(RECORDS, seed=seed).divide(RECORDS)) for seed in range(10)]
    assert max(stratified) < sorted(map(by_chance, range(10)))[5]


def test_another_seed_gives_another_split() -> None:
    assert split_by_person(RECORDS, seed=1).persons != split_by_person(RECORDS, seed=2).persons


def test_the_split_of_a_seed_stays_what_it_is() -> None:
    persons = split_by_person(drawn(12, seed=3), seed=7).persons
    assert len(persons["training"]) == 8
    assert (persons["validation"], persons["test"]) == (["0002"], ["0000", "0007", "0009"])


def test_a_saved_split_comes_back_equal(tmp_path: Path) -> None:
    split = split_by_person(RECORDS, seed=3)
    split.save(tmp_path / "split.json")
    assert Split.load(tmp_path / "split.json") == split
    saved = json.loads((tmp_path / "split.json").read_text())
    assert (saved["format"], saved["seed"], saved["pictures"]) == (1, 3, len(RECORDS))
    assert list(tmp_path.iterdir()) == [tmp_path / "split.json"]


def test_a_split_refuses_other_pictures_than_its_own() -> None:
    split = split_by_person(RECORDS)
    assert Counter({part: len(group) for part, group in split.divide(RECORDS).items()}).total() == len(RECORDS)
    for others in (RECORDS[1:], [*RECORDS, record(9000, 0, (0,) * 6)], [*RECORDS[1:], record(0, 99, (0,) * 6)]):
        with pytest.raises(SplitInvalid, match="other pictures"):
            split.divide(others)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": 2}, "less than or equal to 1"),
        ({"seed": None}, "valid integer"),
        ({"persons": {"training": ["0001"], "test": ["0001"]}, "fractions": {"training": 0.5, "test": 0.5}}, "twice"),
        ({"persons": {"training": ["0001"]}}, "different parts"),
        ({"fractions": {"training": 0.9, "validation": 0.2, "test": 0.1}}, "sum to 1.2"),
        ({"extra": 1}, "Extra inputs"),
    ],
)
def test_a_changed_file_is_no_split(tmp_path: Path, change: dict[str, object], complaint: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(json.dumps(split_by_person(RECORDS).model_dump() | change))
    with pytest.raises(SplitInvalid, match=complaint):
        Split.load(path)


def test_a_missing_or_unwritable_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SplitInvalid, match="cannot be read"):
        Split.load(tmp_path / "none.json")
    with pytest.raises(SplitInvalid, match="cannot be written"):
        split_by_person(RECORDS).save(tmp_path / "no folder" / "split.json")


def test_fewer_persons_than_parts_cannot_be_split() -> None:
    with pytest.raises(SplitInvalid, match="2 persons cannot be split into 3 parts"):
        split_by_person([record(1, 0, (0,) * 6), record(2, 1, (0,) * 6)])


@pytest.mark.parametrize("fractions", [{}, {"a": 1.0}, {"a": 0.5, "b": 0.6}, {"a": 1.0, "b": 0.0}])
def test_impossible_fractions_are_refused(fractions: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="fractions"):
        split_by_person(RECORDS, fractions)
