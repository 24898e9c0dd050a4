"""Names of the AI Hub scalp set: pictures, folders, official parts, members of zips."""

from __future__ import annotations

import io
import unicodedata
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.data.names import REGIONS, Folder, PictureName, mended_name
from ml.labels import GRADES
from tests.support.aihub import flat, nested, zipped

PERSONS = st.integers(0, 9999).map("{:04d}".format)
DEVICES = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=1, max_size=20)
TIMES = st.integers(10**12, 10**13 - 1)


@given(PERSONS, DEVICES, TIMES, st.integers(2, 6), st.sampled_from(REGIONS))
def test_a_long_name_tells_person_device_time_shot_and_region(
    person: str, device: str, taken: int, shot: int, region: str
) -> None:
    name = PictureName.parse(f"{person}_{device}_{taken}_{shot}_{region}")
    assert name == PictureName(person, device, taken, shot, region)


@given(PERSONS, st.integers(2, 6), st.sampled_from(REGIONS))
def test_a_short_name_tells_person_shot_and_region(person: str, shot: int, region: str) -> None:
    assert PictureName.parse(f"{person}_{shot}_{region}") == PictureName(person, None, None, shot, region)


@given(st.text() | st.from_regex(r"\d{4}_[A-Z0-9]*_?\d*_\d_[TLRB]H"))
def test_whatever_is_read_as_a_name_can_be_written_again(stem: str) -> None:
    name = PictureName.parse(stem)
    if name is not None:
        taken = [] if name.device is None else [name.device, stem.split("_")[2]]
        assert "_".join([name.person, *taken, str(name.shot), name.region]) == stem


@pytest.mark.parametrize(
    "stem", ["", "13_2_TH", "00131_2_TH", "0013_2_XH", "0013_2_TH (1)", "0013_2_TH\n", "٠٠١٣_2_TH", "photo"]
)
def test_other_names_are_no_picture_names(stem: str) -> None:
    assert PictureName.parse(stem) is None


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("kind", ["원천", "라벨"])
@pytest.mark.parametrize("layout", [flat, nested])
def test_both_layouts_tell_symptom_and_grade_in_any_normal_form(layout, kind: str, form) -> None:
    for symptom in range(6):
        for grade in range(len(GRADES)):
            path = unicodedata.normalize(form, f"Training/{layout(kind, symptom, grade)}")
            assert Folder.parse(path.split("/")) == Folder("training", symptom, grade)


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("Validation/[라벨]피지 과다_2.중등도", Folder("validation", 1, 2)),
        ("2.Validation/[라벨]피지과다_2.중등도", Folder("validation", 1, 2)),
        ("1.Training/[원천]1.미세각질_0.양호", Folder("training", 0, 0)),
        ("탈모 프로젝트/두피/Training/비듬/3.중증", Folder("training", 4, 3)),
        ("탈모/1.미세각질", Folder(None, 0)),
        ("두피/META", Folder()),
    ],
)
def test_the_innermost_folder_that_says_something_counts(path: str, folder: Folder) -> None:
    assert Folder.parse(path.split("/")) == folder


# The UTF-8 of 비듬 is also valid cp949, of other letters.
@pytest.mark.parametrize("wanted", ["원천데이터/4.모낭홍반농포/1.경증/0013_2_TH.jpg", "비듬/0013_2_TH.jpg"])
@pytest.mark.parametrize("encoding", [None, "utf-8", "cp949"])
def test_names_in_zips_are_read_as_their_maker_meant_them(encoding: str | None, wanted: str) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped({wanted: b"x"}, encoding))) as archive:
        (member,) = archive.infolist()
        assert (member.filename == wanted) is (encoding is None)
        assert mended_name(member.filename) == wanted


def test_names_in_zips_with_backslashes_are_paths() -> None:
    assert mended_name("1.미세각질\\0.양호\\0013_2_TH.jpg") == "1.미세각질/0.양호/0013_2_TH.jpg"


@pytest.mark.parametrize("name", ["photograph-é.jpg", "두피-사진.jpg", "頭皮.jpg"])
def test_names_that_nothing_spoilt_stay(name: str) -> None:
    assert mended_name(name) == name


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_whatever_a_name_is_it_can_be_printed(name: str) -> None:
    mended_name(name).encode()
