"""Small trees in the layouts of AI Hub's scalp set, written as folders or zips. Every picture is synthetic."""

from __future__ import annotations

import functools
import io
import json
import unicodedata
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ml.data.synthetic import scalp_picture
from ml.labels import GRADES

#: The symptoms as the set spells its folders.
SYMPTOM_FOLDERS = ("미세각질", "피지 과다", "모낭사이홍반", "모낭홍반농포", "비듬", "탈모")

Files = dict[str, bytes]


@functools.cache
def jpeg(seed: int = 1) -> bytes:
    file = io.BytesIO()
    scalp_picture(seed).resize((64, 48)).save(file, "JPEG")
    return file.getvalue()


def stem(person: int, shot: int = 2, region: str = "TH", device: str = "A2LEBJJDE00060O") -> str:
    return f"{person:04d}_{device}_{1602578303771 + person}_{shot}_{region}"


def label(name: str, grades: str | Iterable[int], **changes: Any) -> bytes:
    values = {f"value_{number}": str(grade) for number, grade in enumerate(grades, 1)}
    return json.dumps({"image_id": name, "image_file_name": f"{name}.jpg", **values, **changes}).encode()


def flat(kind: str, symptom: int, grade: int) -> str:
    """`[원천]미세각질_0.양호`, the name of a downloaded zip; `kind` is 원천 or 라벨."""
    return f"[{kind}]{SYMPTOM_FOLDERS[symptom]}_{grade}.{GRADES[grade].korean}"


def nested(kind: str, symptom: int, grade: int) -> str:
    """`원천데이터/1.미세각질/0.양호`, the other way of unpacking."""
    top = {"원천": "원천데이터", "라벨": "라벨링데이터"}[kind]
    return f"{top}/{symptom + 1}.{SYMPTOM_FOLDERS[symptom]}/{grade}.{GRADES[grade].korean}"


def pictures(grades_by_name: dict[str, str], *, part: str = "Training", layout: Any = flat) -> Files:
    """Pictures and labels filed as the publisher does: by each symptom that shows, or as good in all six."""
    files: Files = {}
    for name, grades in grades_by_name.items():
        shown = [(symptom, int(grade)) for symptom, grade in enumerate(grades) if grade != "0"]
        for symptom, grade in shown or [(symptom, 0) for symptom in range(6)]:
            files[f"{part}/{layout('원천', symptom, grade)}/{name}.jpg"] = jpeg()
            files[f"{part}/{layout('라벨', symptom, grade)}/{name}.json"] = label(name, grades)
    return files


def write_folders(root: Path, files: Files, form: Any = "NFC") -> Path:
    for name, data in files.items():
        path = root / unicodedata.normalize(form, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def write_zips(
    root: Path, files: Files, *, depth: int = 2, encoding: str | None = None, compression: int = zipfile.ZIP_STORED
) -> Path:
    """Pack the files into zips named after their first `depth` folders; the rest is the members' names.

    With an `encoding` the members' names are written in it without the UTF-8 bit, as Windows and macOS do.
    """
    by_zip: dict[str, Files] = {}
    for name, data in files.items():
        folders = name.split("/")
        by_zip.setdefault("/".join(folders[:depth]), {})["/".join(folders[depth:])] = data
    for name, members in by_zip.items():
        path = root / f"{name}.zip"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zipped(members, encoding, compression))
    return root


def zipped(members: Files, encoding: str | None = None, compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    names: dict[bytes, bytes] = {}
    with zipfile.ZipFile(file, "w", compression) as archive:
        for number, (name, data) in enumerate(members.items()):
            if encoding:
                # `zipfile` marks what is not ASCII as UTF-8, so a name of the same length holds the place.
                raw = name.encode(encoding)
                placeholder = f"@{number:08d}@".ljust(len(raw), "@")
                names[placeholder.encode()] = raw
                name = placeholder
            archive.writestr(name, data)
    content = file.getvalue()
    for placeholder_bytes, raw in names.items():
        assert len(placeholder_bytes) == len(raw)
        content = content.replace(placeholder_bytes, raw)
    return content
