"""The phrase check: finds planted phrases in docs, comments and strings, and compares counts with the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.launcher.phrases import Hit, check, find_hits, find_long_test_names, prose_of, spelling_hits_in

PLANTED = '''\
"""Waits for so
many seconds."""
nobody = anew = 1  # the worker starts `anew`
text = f"{nobody} is no port"  # lately, no
#: is no longer
# whoever
# reckons
'''


@pytest.fixture
def hits(tmp_path: Path) -> list[Hit]:
    for folder in ("ml/data", "ml/migrations", "docs", "tests"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "planted.py").write_text(PLANTED)
    (tmp_path / "docs" / "queue.md").write_text("Photos\n\nNobody waits for ever, but `nobody` may.\n")
    return find_hits(tmp_path)


def test_planted_phrases_are_found_with_their_lines(hits: list[Hit]) -> None:
    assert [(hit.path, hit.line, hit.phrase) for hit in hits] == [
        ("docs/queue.md", 3, "Nobody"),
        ("docs/queue.md", 3, "for ever"),
        ("ml/data/planted.py", 1, "so many"),
        ("ml/data/planted.py", 4, "is no"),
        ("ml/data/planted.py", 4, "lately"),
        ("ml/data/planted.py", 6, "whoever"),
        ("ml/data/planted.py", 7, "reckons"),
    ]
    assert str(hits[1]) == "docs/queue.md:3: “for ever”; better: forever, indefinitely"


def test_prose_keeps_its_place_and_code_becomes_blank() -> None:
    prose = prose_of('한글 = ["a",  # 한\n  """b\nc""", d]\n')
    assert prose == '      "a"   ' + "  한\n" + '  """b\nc"""    '


def test_british_spelling_is_found_in_names_too() -> None:
    code = "colour_at = UNLABELLED  # labelledby, analyses\ncentred, metres, parametres = optimiser(licence_of)\n"
    assert [(hit.line, hit.phrase) for hit in sorted(spelling_hits_in("ml/x.py", code))] == [
        (1, "LABELLED"),
        (1, "colour"),
        (2, "centred"),
        (2, "licence"),
        (2, "metres"),
        (2, "optimiser"),
    ]


def test_promised_names_keep_their_spelling() -> None:
    names = "`data synthesise` --licence X, pip install -r requirements/quantised.txt, Provenance(licence=None)"
    assert list(spelling_hits_in("ml/x.py", names)) == []
    assert list(spelling_hits_in("docs/x.md", "its key was `not_labelled`")) == []


def test_counts_that_differ_from_the_table_either_way_are_reported(hits: list[Hit]) -> None:
    assert check(hits, {"docs": 2, "ml": 5}) == []
    more = check(hits, {"docs": 1, "ml": 5})
    assert more[:2] == [str(hit) for hit in hits[:2]]
    assert more[2].startswith("docs: 2 hits, 1 allowed. Reword")
    [fewer] = check(hits, {"docs": 2, "ml": 6, "workers": 0})
    assert "Set ALLOWED['ml'] to 5" in fewer


def test_a_name_of_71_characters_is_too_long_for_a_test(tmp_path: Path) -> None:
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    names = ["test_" + "a" * 65, "test_" + "b" * 66, "helper_" + "c" * 80]
    (tmp_path / "tests" / "unit" / "test_names.py").write_text(
        "\n".join(f"def {name}() -> None: ..." for name in names)
    )
    [line] = find_long_test_names(tmp_path)
    assert line.startswith(f"tests/unit/test_names.py:2: {names[1]} has 71 characters")
