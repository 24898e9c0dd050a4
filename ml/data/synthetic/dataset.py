"""A synthetic data set on disk, in the layout of AI Hub's scalp set, as folders or as zips."""

from __future__ import annotations

import io
import multiprocessing
import os
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ml.data.files import SYNTHETIC_MARKER
from ml.data.synthetic.cohort import Shot
from ml.data.synthetic.scalp import draw_scalp
from ml.errors import DataSetInvalid
from ml.labels import GRADES, SYMPTOMS

_MARKER_TEXT = """\
These pictures are synthetic: drawn by ScalpSpectra from seeds. They show no real person.
Names, labels and folders imitate the layout of AI Hub's set of scalp images by type (dataSetSn 216);
nothing of that set is in here, and what is learned from these pictures says nothing about real scalps.
"""
_COMMENT = b"Synthetic: drawn by ScalpSpectra, shows no real person."

#: Of the pictures, and of labels and meta files; the latter spell one symptom with a space.
_PICTURES, _LABELS = "원천", "라벨"
_SPELLINGS = {
    _PICTURES: {"모낭홍반/농포": "모낭홍반농포"},
    _LABELS: {"모낭홍반/농포": "모낭홍반농포", "피지과다": "피지 과다"},
}

#: A file takes 50 to 270 kB, less than the real ones with 200 to 290: the camera has compressed it once before.
_QUALITY = 95


@dataclass(slots=True)
class Written:
    """What was written: distinct pictures, persons, files with all copies, and grades counted by symptom key."""

    pictures: int
    persons: int
    files: int = 0
    parts: Counter[str] = field(default_factory=Counter)
    grades: dict[str, list[int]] = field(default_factory=dict)


def write_dataset(out: Path, shots: Sequence[Shot], *, zipped: bool = False, workers: int = 1) -> Written:
    """Draw the shots with `workers` processes and write them below `out`; the files don't depend on the number.

    As in the real set, a picture is in the folder of each symptom that it shows, or in all six of grade 0; copies are
    hard links where the file system supports them. `out` appears when all is written. Raises DataSetInvalid where it
    holds something already or cannot be written.
    """
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise DataSetInvalid(f"{out} is there already: name a folder that is new or empty.")
        out.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            written = _write(building, shots, zipped, workers)
            building.chmod(0o755)
            building.replace(out)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise DataSetInvalid(f"{out} cannot be written: {error.strerror}.") from error
    return written


def _write(folder: Path, shots: Sequence[Shot], zipped: bool, workers: int) -> Written:
    written = Written(len(shots), len({shot.person for shot in shots}))
    written.grades = {
        symptom.key: [sum(shot.grades[index] == grade for shot in shots) for grade in range(len(GRADES))]
        for index, symptom in enumerate(SYMPTOMS)
    }
    (folder / SYNTHETIC_MARKER).write_text(_MARKER_TEXT, encoding="utf-8")
    with (_zips if zipped else _folders)(folder) as put, _start_drawing(shots, workers) as pictures:
        for shot, picture in zip(shots, pictures, strict=True):
            written.parts[shot.part] += 1
            for kind, name, data in (
                (_PICTURES, f"{shot.stem}.jpg", picture),
                (_LABELS, f"{shot.stem}.json", shot.label()),
                (_LABELS, f"{shot.stem}_META.json", shot.meta()),
            ):
                places = [f"{shot.part}/{_folder(kind, *filed)}" for filed in shot.folders()]
                put(places, name, data)
                written.files += len(places)
    return written


def _folder(kind: str, symptom: int, grade: int) -> str:
    korean = SYMPTOMS[symptom].korean
    return f"[{kind}]{_SPELLINGS[kind].get(korean, korean)}_{grade}.{GRADES[grade].korean}"


Put = Callable[[Sequence[str], str, bytes], None]


@contextmanager
def _folders(root: Path) -> Iterator[Put]:
    """Puts a file into folders: once, and links to it in the others."""

    def put(places: Sequence[str], name: str, data: bytes) -> None:
        paths = [root / place / name for place in places]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        paths[0].write_bytes(data)
        for path in paths[1:]:
            try:
                os.link(paths[0], path)
            except OSError:
                path.write_bytes(data)

    yield put


@contextmanager
def _zips(root: Path) -> Iterator[Put]:
    """Puts a file into zips, one a folder, stored and without the time, so that the same seed gives the same zips."""
    archives: dict[str, zipfile.ZipFile] = {}

    def put(places: Sequence[str], name: str, data: bytes) -> None:
        for place in places:
            if place not in archives:
                path = root / f"{place}.zip"
                path.parent.mkdir(parents=True, exist_ok=True)
                archives[place] = zipfile.ZipFile(path, "w")
            archives[place].writestr(zipfile.ZipInfo(name), data)

    try:
        yield put
    finally:
        for archive in archives.values():
            archive.close()


@contextmanager
def _start_drawing(shots: Sequence[Shot], workers: int) -> Iterator[Iterator[bytes]]:
    """The JPEGs of the shots in their order; with more than one worker drawn ahead in processes of their own."""
    if workers <= 1:
        yield map(_draw, shots)
        return
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield _read_ahead(pool, shots, 4 * workers)
    finally:
        pool.shutdown(cancel_futures=True)


def _read_ahead(pool: ProcessPoolExecutor, shots: Sequence[Shot], most: int) -> Iterator[bytes]:
    """The results in order, with at most `most` waiting in memory."""
    waiting = [pool.submit(_draw, shot) for shot in shots[:most]]
    for shot in shots[most:]:
        yield waiting.pop(0).result()
        waiting.append(pool.submit(_draw, shot))
    for future in waiting:
        yield future.result()


def _draw(shot: Shot) -> bytes:
    file = io.BytesIO()
    picture = draw_scalp(shot.seed, shot.grades, person=shot.person)
    picture.save(file, "JPEG", quality=_QUALITY, subsampling=0, comment=_COMMENT)
    return file.getvalue()
