"""Realism: descriptors of made pictures, the Fréchet distance on known distributions, and the two commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from ml.cli import main
from ml.cli.data.realism import print_realism
from ml.data.contact_sheet import BAND, TILE, draw_contact_sheet
from ml.data.descriptors import Descriptors, spot_sizes, summarize
from ml.evaluation.frechet import frechet_distance, noise_floor
from ml.evaluation.realism import DIRECTIONS, Appearance, Realism, class_directions, drawn_scalps

SKIN = (180, 150, 141)


def plain(color: tuple[int, int, int] = SKIN) -> Image.Image:
    return Image.new("RGB", (640, 480), color)


def write(folder: Path, pictures: list[Image.Image]) -> Path:
    folder.mkdir()
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number:03}.png")
    return folder


def noisy(seed: int, count: int, spread: float) -> list[Image.Image]:
    random = np.random.default_rng(seed)
    fields = random.normal(150, spread, (count, 96, 128, 3)).clip(0, 255).astype(np.uint8)
    return [Image.fromarray(field) for field in fields]


def test_a_plain_picture_has_a_color_and_nothing_else() -> None:
    found = Descriptors.of(plain())
    assert (found.red, found.green, found.blue) == pytest.approx([value / 255 for value in SKIN], abs=1e-3)
    assert found.hair_share == found.glints_per_megapixel == found.white_share == 0
    assert (found.contrast, found.grain) == pytest.approx((0, 0), abs=1e-4)


def test_dark_strokes_count_as_hair_and_their_edges_not_as_skin() -> None:
    picture = plain()
    ImageDraw.Draw(picture).line((0, 240, 640, 240), fill=(40, 30, 30), width=10)
    # Ten rows of hair and three on either side.
    assert Descriptors.of(picture).hair_share == pytest.approx(16 / 480, abs=0.004)


def test_bright_dots_are_counted_as_glints_with_their_size() -> None:
    picture = plain()
    draw = ImageDraw.Draw(picture)
    for x in range(40, 600, 40):
        for y in range(40, 440, 40):
            draw.rectangle((x, y, x + 3, y + 3), fill=(240, 235, 230))
    found = Descriptors.of(picture)
    assert found.glints_per_megapixel == pytest.approx(14 * 10 / (640 * 480) * 1e6, rel=0.01)
    assert found.glint_size == pytest.approx(4, abs=0.5)


def test_white_paint_is_white_and_blur_takes_sharpness() -> None:
    picture = plain()
    ImageDraw.Draw(picture).rectangle((0, 0, 319, 479), fill=(250, 250, 250))
    found = Descriptors.of(picture)
    assert found.white_share == pytest.approx(0.5, abs=0.02)
    assert Descriptors.of(picture.filter(ImageFilter.GaussianBlur(4))).sharpness < found.sharpness / 4


def test_color_that_drifts_is_told_from_one_cast() -> None:
    ramp = np.asarray(plain()).copy()
    ramp[..., 0] = np.linspace(120, 220, 640, dtype=np.uint8)
    assert Descriptors.of(Image.fromarray(ramp)).hue_drift > 0.08
    assert Descriptors.of(plain((220, 150, 120))).hue_drift == pytest.approx(0, abs=1e-4)


def test_spots_are_joined_at_their_sides_and_not_at_corners() -> None:
    rows = ["##..#", ".#..#", "#...#", "#.#.#", "###.#"]
    mask = np.array([[letter == "#" for letter in row] for row in rows])
    assert sorted(spot_sizes(mask)) == [3, 5, 6]


def test_ranges_are_percentiles_of_each_descriptor() -> None:
    ranges = summarize([Descriptors.of(plain((level, 100, 100))) for level in range(0, 101, 10)])
    red = ranges["red"]
    assert (red.low, red.median, red.high) == pytest.approx((10 / 255, 50 / 255, 90 / 255), abs=1e-4)


def test_the_distance_of_normal_distributions_is_the_formula_s() -> None:
    random = np.random.default_rng(1)
    first = random.normal(0, 1, (40_000, 3))
    second = random.normal((2, 0, 0), (1, 3, 0.5), (40_000, 3))
    distance = frechet_distance(first, second)
    assert distance.means == pytest.approx(4, rel=0.03)
    assert distance.covariances == pytest.approx((3 - 1) ** 2 + (1 - 0.5) ** 2, rel=0.03)
    assert distance.total == distance.means + distance.covariances


def test_covariances_that_do_not_commute_agree_with_their_square_root() -> None:
    random = np.random.default_rng(2)
    first = random.normal(size=(50, 4)) @ random.normal(size=(4, 4))
    second = random.normal(size=(60, 4)) @ random.normal(size=(4, 4))
    a, b = np.cov(first.T), np.cov(second.T)
    root = np.sqrt(np.linalg.eigvals(a @ b).real).sum()
    assert frechet_distance(first, second).covariances == pytest.approx(np.trace(a) + np.trace(b) - 2 * root)


def test_a_set_is_at_distance_zero_from_itself_with_few_rows() -> None:
    rows = np.random.default_rng(3).normal(size=(30, 1280)).astype(np.float32)
    assert frechet_distance(rows, rows).total == pytest.approx(0, abs=1e-6)


def test_halves_are_apart_by_less_than_another_distribution() -> None:
    random = np.random.default_rng(4)
    rows = random.normal(size=(80, 20))
    assert 0 < noise_floor(rows) < frechet_distance(rows, random.normal(2, 1, (80, 20))).total / 5
    with pytest.raises(ValueError, match="two pictures"):
        frechet_distance(rows[:1], rows)


def test_sets_are_compared_in_directions_that_no_picture_chooses() -> None:
    directions = class_directions()
    assert directions.shape == (1280, DIRECTIONS)
    assert directions.T @ directions == pytest.approx(np.eye(DIRECTIONS), abs=1e-6)


def test_drawn_scalps_are_the_same_for_the_same_seed() -> None:
    first, second = (list(drawn_scalps(2, 77)) for _ in range(2))
    assert [picture.tobytes() for picture in first] == [picture.tobytes() for picture in second]
    assert first[0].tobytes() != first[1].tobytes()


def test_a_sheet_has_a_row_of_each_set_in_turn() -> None:
    red, blue = plain((200, 0, 0)), plain((0, 0, 200))
    sheet = draw_contact_sheet({"red": [red] * 3, "blue": [blue] * 2}, columns=2)
    height = sheet.height // 3
    middles = [sheet.getpixel((TILE[0] // 2, row * height + BAND + TILE[1] // 2)) for row in range(3)]
    assert middles == [(200, 0, 0), (0, 0, 200), (200, 0, 0)]
    label = np.asarray(sheet)[: BAND - 4, : TILE[0]]
    assert label.max() > 200


def test_the_contact_sheet_command_chooses_by_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "a", noisy(0, 12, 20))
    for name, seed in (("one", "1"), ("same", "1"), ("other", "2")):
        assert (
            main(
                [
                    "data",
                    "contact-sheet",
                    str(folder),
                    "--out",
                    f"{tmp_path / name}.png",
                    "--count",
                    "4",
                    "--columns",
                    "2",
                    "--seed",
                    seed,
                ]
            )
            == 0
        )
    one, same, other = ((tmp_path / f"{name}.png").read_bytes() for name in ("one", "same", "other"))
    assert one == same != other
    assert "4 pictures" in capsys.readouterr().out


def test_a_sheet_without_a_folder_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "contact-sheet", "--out", str(tmp_path / "sheet.jpg")]) == 2
    assert "name a folder" in capsys.readouterr().err


@pytest.fixture(scope="module")
def real() -> Appearance:
    return Appearance.of(noisy(1, 14, 10))


@pytest.fixture(scope="module")
def coarse(real: Appearance) -> Realism:
    """Pictures with much noise, compared with real ones that have little."""
    return Realism.between(Appearance.of(noisy(2, 14, 70)), real)


def test_pictures_of_another_kind_are_farther(real: Appearance, coarse: Realism) -> None:
    alike = Realism.between(Appearance.of(noisy(3, 14, 10)), real)
    for near, far in ((alike.distance, coarse.distance), (alike.over_all_features, coarse.over_all_features)):
        assert near.frechet.total < far.frechet.total / 5
        assert 0 < near.noise_floor == far.noise_floor < far.frechet.total / 5
    assert coarse.real["sharpness"].high < coarse.synthetic["sharpness"].low


def test_the_table_has_both_distances_and_each_descriptor(coarse: Realism, capsys: pytest.CaptureFixture[str]) -> None:
    print_realism(coarse)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "14 synthetic and 14 real pictures"
    assert lines[1].startswith(f"Fréchet distance {coarse.distance.frechet.total:.2f} ")
    assert [line.split("  ")[1] for line in lines[5:]] == [name.replace("_", " ") for name in coarse.real]


def test_the_realism_command_compares_drawn_with_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "real", noisy(1, 20, 10))
    assert main(["data", "realism", str(folder), "--drawn", "20", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["pictures"] == {"synthetic": 20, "real": 20}
    assert (
        0 < document["noise_floor"] < document["frechet_distance"] < document["over_all_features"]["frechet_distance"]
    )
    assert document["descriptors"]["hair_share"]["synthetic"]["median"] > 0.02


def test_too_few_pictures_or_folders_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = write(tmp_path / "few", noisy(1, 19, 10))
    enough = write(tmp_path / "enough", noisy(1, 20, 10))
    for arguments in ([few, enough], [enough, few], [few, "--drawn", "20"]):
        assert main(["data", "realism", *map(str, arguments)]) == 1
        assert "19 pictures are too few" in capsys.readouterr().err
    assert main(["data", "realism", str(enough), "--drawn", "19"]) == 1
    assert main(["data", "realism", str(few)]) == 2
    assert main(["data", "realism", str(few), str(few), "--drawn", "20"]) == 2
