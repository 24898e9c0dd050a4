"""The reader of AI Hub's scalp set: every trap of the set, as folders and as zips."""

from __future__ import annotations

import json
import multiprocessing
import os
import zipfile
from pathlib import Path

import pytest

from ml.data.aihub import read_aihub
from ml.data.faults import Fault
from ml.data.records import DataSet, Record
from ml.errors import DataSetInvalid
from tests.support.aihub import Files, flat, jpeg, label, nested, pictures, stem, write_folders, write_zips

GRADED = {stem(13): "120000", stem(14): "000000", stem(15): "111111", "8952_5_RH": "000203"}


def counts(data: DataSet) -> dict[Fault, int]:
    return {fault: count for fault, count, _ in data.faults}


def trapped() -> Files:
    """At least one file with every fault that a file can have, among four good pictures."""
    files = pictures(GRADED)
    good, filed = f"Training/{flat('원천', 0, 1)}", f"Training/{flat('라벨', 0, 1)}"
    for person in range(20, 32):
        files[f"{good}/{stem(person)}.jpg"] = jpeg()
    files |= {
        f"{filed}/{stem(20)}.json": b'{"value_1": ',
        f"{filed}/{stem(21)}.json": b'{"width": 640}',
        f"{filed}/{stem(22)}.json": label(stem(22), "10000"),
        f"{filed}/{stem(23)}.json": label(stem(23), "100004"),
        f"{filed}/{stem(24)}.json": label(stem(24), "100000", value_2=None),
        f"{filed}/{stem(25)}.json": label(stem(25), "100000"),
        f"Training/{flat('라벨', 1, 1)}/{stem(25)}.json": label(stem(25), "110000"),
        f"{filed}/{stem(26)}.json": label(stem(26), "100000"),
        f"{good}/{stem(26)}.jpg": jpeg()[:-40],
        f"{filed}/{stem(27)}.json": label(stem(27), "100000"),
        f"{good}/{stem(27)}.jpg": b"<html>not found</html>",
        f"{filed}/{stem(28)}.json": label(stem(28), "100000"),
        f"{good}/{stem(28)}.jpg": b"",
        f"{filed}/{stem(99)}.json": label(stem(99), "100000"),
        f"{good}/scan.jpg": jpeg(),
        f"{filed}/scan.json": label("scan", "100000"),
        f"{filed}/{stem(30)}(1).json": label(stem(30), "100000"),
        f"{good}/notes.txt": b"",
        f"{good}/._{stem(13)}.jpg": b"\0",
        f"Training/META/{stem(13)}_META.json": json.dumps({"gender": "여", "age": "40대"}).encode(),
        f"Training/META/{stem(14)}_META.json": json.dumps({"gender": "?", "age": "7"}).encode(),
    }
    return files


FILE_FAULTS = {
    Fault.OTHER_FILE: 1,
    Fault.BROKEN_JSON: 1,
    Fault.NOT_A_LABEL: 1,
    Fault.GRADE_MISSING: 2,
    Fault.GRADE_OUT_OF_RANGE: 1,
    Fault.OTHER_NAME: 1,
    Fault.META_UNKNOWN: 1,
    Fault.BROKEN_JPEG: 3,
    Fault.NAME_UNKNOWN: 1,
    Fault.CONFLICTING_LABELS: 1,
    Fault.NO_PICTURE: 1,
    # 20 to 24 have a label that says nothing, 29 and 31 have none.
    Fault.NO_LABEL: 7,
    Fault.NO_WHOLE_COPY: 3,
}


@pytest.mark.parametrize("write", [write_folders, write_zips])
def test_every_trap_is_named_counted_and_shown(tmp_path: Path, write) -> None:
    data = read_aihub(write(tmp_path, trapped()))
    assert counts(data) == FILE_FAULTS
    assert {record.id for record in data.records} == {*GRADED, stem(30)}
    examples = {fault: shown for fault, _, shown in data.faults}
    assert examples[Fault.CONFLICTING_LABELS] == [f"{stem(25)}: 100000 and 110000"]
    assert examples[Fault.GRADE_OUT_OF_RANGE][0].endswith(f"{stem(23)}.json: value_6 is '4'")
    assert len(examples[Fault.NO_LABEL]) == 5


def test_zips_and_folders_give_equal_records(tmp_path: Path) -> None:
    unpacked = read_aihub(write_folders(tmp_path / "a", trapped()))
    packed = read_aihub(write_zips(tmp_path / "b", trapped()))
    assert unpacked.records == packed.records
    assert all(record.read() == jpeg() for record in (*unpacked.records, *packed.records))


def spoilt(files: Files, taken_for: str) -> Files:
    """As programs that know no cp949 unpack the zips of a Korean Windows."""
    return {name.encode("cp949").decode(taken_for, "surrogateescape"): data for name, data in files.items()}


@pytest.mark.parametrize("layout", [flat, nested])
@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda root, files: write_folders(root, files, "NFC"), id="folders NFC"),
        pytest.param(lambda root, files: write_folders(root, files, "NFD"), id="folders NFD"),
        pytest.param(lambda root, files: write_folders(root, spoilt(files, "cp437")), id="folders taken for cp437"),
        pytest.param(lambda root, files: write_folders(root, spoilt(files, "utf-8")), id="folders of cp949 bytes"),
        pytest.param(lambda root, files: write_zips(root, files), id="zips in the tree"),
        pytest.param(lambda root, files: write_zips(root, files, depth=1), id="one zip a part"),
        pytest.param(lambda root, files: write_zips(root, files, depth=1, encoding="cp949"), id="zips of Windows"),
        pytest.param(lambda root, files: write_zips(root, files, depth=1, encoding="utf-8"), id="zips of macOS"),
    ],
)
def test_every_layout_gives_the_same_records(tmp_path: Path, layout, written) -> None:
    files = pictures(GRADED, layout=layout) | pictures({stem(16): "003000"}, part="Validation", layout=layout)
    data = read_aihub(written(tmp_path, files))
    assert counts(data) == {}
    assert [(record.id, record.parts) for record in data.records] == [
        *((name, ("training",)) for name in (stem(13), stem(14), stem(15))),
        (stem(16), ("validation",)),
        ("8952_5_RH", ("training",)),
    ]
    assert [record.filed for record in data.records] == [
        ((0, 1), (1, 2)),
        tuple((symptom, 0) for symptom in range(6)),
        tuple((symptom, 1) for symptom in range(6)),
        ((2, 3),),
        ((3, 2), (5, 3)),
    ]
    assert [record.read() for record in data.records] == [jpeg()] * 5


def test_zips_and_folders_may_be_mixed_and_a_zip_stand_alone(tmp_path: Path) -> None:
    write_folders(tmp_path, pictures({stem(13): "120000"}))
    write_zips(tmp_path, pictures({stem(14): "000000"}), depth=1)
    assert [record.id for record in read_aihub(tmp_path).records] == [stem(13), stem(14)]
    assert [record.id for record in read_aihub(tmp_path / "Training.zip").records] == [stem(14)]


def test_a_picture_in_six_folders_is_one_record_with_its_label_s_grades(tmp_path: Path) -> None:
    data = read_aihub(write_folders(tmp_path, pictures({stem(15): "123123", stem(13): "100000"})))
    one, six = data.records
    assert (six.grades, six.copies, len(six.filed)) == ((1, 2, 3, 1, 2, 3), 6, 6)
    # Its only folders are those of its one symptom; the other five grades come from the label.
    assert (one.grades, one.copies, one.filed) == ((1, 0, 0, 0, 0, 0), 1, ((0, 1),))


def test_a_record_has_person_device_region_and_from_meta_sex_and_age(tmp_path: Path) -> None:
    files = pictures({stem(13, region="BH"): "100000", "8952_5_RH": "000000"})
    meta = {"gender": "남", "age": "80대 이상", "location": "정수리"}
    files[f"META/{stem(13, region='BH')}_META.json"] = json.dumps([meta], ensure_ascii=False).encode("cp949")
    long, short = read_aihub(write_zips(tmp_path, files, depth=1)).records
    assert (long.person, long.device, long.region) == ("0013", "A2LEBJJDE00060O", "BH")
    assert (long.sex, long.age) == ("남", "80대 이상")
    assert (short.person, short.device, short.region) == ("8952", None, "RH")
    assert (short.sex, short.age) == (None, None)


@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param(lambda data: b"[" + data + b"]", id="in a list"),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, id="after a mark"),
        pytest.param(lambda data: data.decode().encode("utf-16"), id="in UTF-16"),
        pytest.param(lambda data: data.replace(b'"1"', b"1"), id="as numbers"),
        pytest.param(lambda data: data.replace(b"{", '{"기관": "두피", '.encode("cp949")), id="in cp949"),
    ],
)
def test_labels_are_read_however_they_are_wrapped(tmp_path: Path, wrapped) -> None:
    files = pictures({stem(13): "120000"})
    labels = {name: wrapped(data) if name.endswith(".json") else data for name, data in files.items()}
    data = read_aihub(write_folders(tmp_path, labels))
    assert [record.grades for record in data.records] == [(1, 2, 0, 0, 0, 0)]
    assert counts(data) == {}


def test_a_whole_copy_stands_in_for_a_broken_one(tmp_path: Path) -> None:
    files = pictures({stem(13): "120000"})
    first, second = sorted(name for name in files if name.endswith(".jpg"))
    files[first] = jpeg()[:200]
    data = read_aihub(write_folders(tmp_path, files))
    assert counts(data) == {Fault.BROKEN_JPEG: 1}
    assert data.records[0].picture.path == str(tmp_path / second)


def test_bytes_after_the_end_of_a_jpeg_do_no_harm(tmp_path: Path) -> None:
    files = {name: data + b"\0" * 64 for name, data in pictures({stem(13): "100000"}).items() if "jpg" in name}
    files |= {name: data for name, data in pictures({stem(13): "100000"}).items() if "json" in name}
    assert counts(read_aihub(write_folders(tmp_path, files))) == {}


def test_a_cut_picture_in_a_compressed_zip_is_found_when_all_of_it_is_read(tmp_path: Path) -> None:
    files = pictures({stem(13): "100000", stem(14): "100000"})
    files[f"Training/{flat('원천', 0, 1)}/{stem(13)}.jpg"] = jpeg()[:-40]
    root = write_zips(tmp_path, files, compression=zipfile.ZIP_DEFLATED)
    assert counts(read_aihub(root)) == {}
    assert counts(read_aihub(root, whole_pictures=True)) == {Fault.BROKEN_JPEG: 1, Fault.NO_WHOLE_COPY: 1}


def test_pictures_need_not_be_looked_at(tmp_path: Path) -> None:
    files = {name: b"" if name.endswith(".jpg") else data for name, data in pictures(GRADED).items()}
    data = read_aihub(write_folders(tmp_path, files), check_pictures=False)
    assert (len(data.records), counts(data)) == (4, {})


def test_zips_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    write_zips(tmp_path, pictures(GRADED))
    inner = (tmp_path / "Training" / f"{flat('라벨', 0, 0)}.zip").read_bytes()
    write_zips(tmp_path, {"Outer/두피.zip": inner}, depth=1)
    (tmp_path / "cut.zip").write_bytes(inner[:-30])
    (tmp_path / "두피.zip.part0").write_bytes(inner[:50])
    data = read_aihub(tmp_path)
    assert len(data.records) == 4
    assert counts(data) == {Fault.BROKEN_ZIP: 1, Fault.NESTED_ZIP: 1, Fault.ZIP_PART: 1}


def test_damage_inside_a_zip_costs_only_the_damaged_member(tmp_path: Path) -> None:
    root = write_zips(tmp_path, pictures({stem(13): "100000", stem(14): "100000"}))
    path = root / "Training" / f"{flat('라벨', 0, 1)}.zip"
    path.write_bytes(path.read_bytes().replace(label(stem(13), "100000"), label(stem(13), "200000")))
    data = read_aihub(root)
    assert [record.id for record in data.records] == [stem(14)]
    assert counts(data) == {Fault.BROKEN_JSON: 1, Fault.NO_LABEL: 1}


def test_a_link_back_to_the_top_ends_the_walk(tmp_path: Path) -> None:
    write_folders(tmp_path, pictures(GRADED))
    os.symlink(tmp_path, tmp_path / "Training" / "again")
    assert [record.copies for record in read_aihub(tmp_path).records] == [2, 6, 6, 2]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_records_in_open_zip_files_can_be_read_by_other_processes(tmp_path: Path, start: str) -> None:
    files = pictures({stem(person): "100000" for person in range(24)})
    for person in range(24):
        files[f"Training/{flat('원천', 0, 1)}/{stem(person)}.jpg"] = jpeg(person)
    records = read_aihub(write_zips(tmp_path, files)).records
    here = [record.read() for record in records]
    assert len(set(here)) == 24
    with multiprocessing.get_context(start).Pool(2) as pool:
        assert pool.map(Record.read, records, chunksize=1) == here


def test_an_open_record_is_a_file_to_read_and_seek(tmp_path: Path) -> None:
    (record,) = read_aihub(write_zips(tmp_path, pictures({stem(13): "100000"}))).records
    with record.open() as file:
        assert file.read(3) == b"\xff\xd8\xff"
        file.seek(0)
        assert file.read() == record.read() == jpeg()


def test_a_place_without_the_set_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(DataSetInvalid, match="neither a folder nor a zip"):
        read_aihub(tmp_path / "nowhere")
    labels = {name: data for name, data in pictures(GRADED).items() if name.endswith(".json")}
    with pytest.raises(DataSetInvalid, match="4 labels without a picture"):
        read_aihub(write_zips(tmp_path, labels))
