"""Files of a data set, plain or inside zips, found and read without unpacking."""

from __future__ import annotations

import functools
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ml.data.faults import Fault, Faults
from ml.data.names import Folder, mended_name
from ml.errors import DataSetInvalid

#: A text file next to the parts of a synthetic set that marks them as synthetic.
SYNTHETIC_MARKER = "SYNTHETIC.txt"

_ZIP_PART = re.compile(r"\.(?:zip\.part\d+|zip\.\d+|z\d\d)$", re.IGNORECASE)
_JPEG_HEAD = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
#: Some cameras write a few bytes after the end marker. Inside the picture's own data the two bytes cannot
#: stand (ITU-T T.81, B.1.1.5), so finding them near the end is enough.
_TAIL_BYTES = 4096

#: Endings of the pictures that a folder of photographs may hold.
_PHOTOGRAPHS = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".bmp", ".tif", ".tiff"}

#: What `zipfile` raises for a member that is damaged, encrypted or compressed in a way it doesn't know.
UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


@functools.lru_cache(maxsize=256)
def _opened(path: str, process: int) -> zipfile.ZipFile:
    """A zip opened by this process: a file handle that came through a fork would share its position."""
    return zipfile.ZipFile(path)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where a file's bytes are: `path` alone, or the `member` of the zip at `path`. Can be pickled."""

    path: str
    member: str | None = None

    def open(self) -> IO[bytes]:
        """The file for reading; raises one of `UNREADABLE` where it is gone or damaged."""
        if self.member is None:
            return open(self.path, "rb")
        return _opened(self.path, os.getpid()).open(self.member)

    def read(self) -> bytes:
        """All bytes; of a zip's member the checksum is checked. Raises one of `UNREADABLE`."""
        with self.open() as file:
            return file.read()

    def is_jpeg(self, *, whole: bool = False) -> bool:
        """Whether a JPEG's first and last marker are there: a cheap look that decodes nothing.

        The end of a compressed member is only seen by unpacking it all, so it is looked at with `whole`
        alone, which reads every byte and checks the checksums of zips.
        """
        try:
            if whole:
                data = self.read()
                return data.startswith(_JPEG_HEAD) and _JPEG_END in data[-_TAIL_BYTES:]
            with self.open() as file:
                if file.read(len(_JPEG_HEAD)) != _JPEG_HEAD:
                    return False
                if self.member is None:
                    size = file.seek(0, os.SEEK_END)
                    file.seek(max(0, size - _TAIL_BYTES))
                    return _JPEG_END in file.read()
            return _JPEG_END in self._stored_tail()
        except UNREADABLE:
            return False

    def _stored_tail(self) -> bytes:
        """The last bytes of a member that is stored as it is; a mere end marker for a compressed one.

        `zipfile` would read such a member from its start to seek in it; its local header says where it ends.
        """
        assert self.member is not None
        member = _opened(self.path, os.getpid()).getinfo(self.member)
        if member.compress_type != zipfile.ZIP_STORED:
            return _JPEG_END
        with open(self.path, "rb") as file:
            file.seek(member.header_offset + 26)
            name_bytes, extra_bytes = struct.unpack("<HH", file.read(4))
            start = member.header_offset + 30 + name_bytes + extra_bytes
            tail = min(member.file_size, _TAIL_BYTES)
            file.seek(start + member.file_size - tail)
            return file.read(tail)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a data set: its `name` in NFC, what its folders say, and a `shown` path for people."""

    stored: StoredFile
    folder: Folder
    directory: str
    name: str

    @property
    def shown(self) -> str:
        """Folder and name, for messages."""
        return f"{self.directory}/{self.name}"


def is_synthetic(path: Path) -> bool:
    """Whether this folder or zip is a synthetic set, or one of the official parts or zips of such a set."""
    root = path.resolve()
    return any((folder / SYNTHETIC_MARKER).is_file() for folder in (root, *root.parents[:2]))


def find_files(root: Path, faults: Faults) -> Iterator[FoundFile]:
    """Every file below `root`, a folder or one zip, also those in zips anywhere in the tree.

    The order is that of the names, whatever the file system's. Links to folders are followed, each folder
    is entered once. Raises DataSetInvalid where `root` is not there.
    """
    root = root.resolve()
    if root.is_file() and root.suffix.lower() == ".zip":
        yield from _files_of_zip(root, (), faults)
    elif root.is_dir():
        yield from _files_of_folder(root, (), faults, set())
    else:
        raise DataSetInvalid(f"{root} is neither a folder nor a zip.")


def _files_of_folder(path: Path, above: tuple[str, ...], faults: Faults, entered: set[str]) -> Iterator[FoundFile]:
    real = os.path.realpath(path)
    if real in entered:
        return
    entered.add(real)
    inside = (*above, mended_name(path.name))
    folder, directory = Folder.parse(inside), "/".join(inside)
    try:
        with os.scandir(path) as scan:
            entries = [(mended_name(entry.name), entry) for entry in scan]
    except OSError as error:
        faults.add(Fault.UNREADABLE_FOLDER, f"{directory}: {error.strerror}")
        return
    entries.sort(key=lambda pair: (pair[0], pair[1].name))
    for name, entry in entries:
        if entry.is_dir():
            yield from _files_of_folder(Path(entry.path), inside, faults, entered)
        elif name.lower().endswith(".zip"):
            yield from _files_of_zip(Path(entry.path), inside, faults)
        elif _ZIP_PART.search(name):
            faults.add(Fault.ZIP_PART, f"{directory}/{name}")
        elif not _is_clutter(name):
            yield FoundFile(StoredFile(entry.path), folder, directory, name)


def _files_of_zip(path: Path, above: tuple[str, ...], faults: Faults) -> Iterator[FoundFile]:
    name = mended_name(path.name)
    top, shown = (*above, name[: -len(".zip")]), "/".join((*above, name))
    try:
        members = _opened(str(path), os.getpid()).infolist()
    except UNREADABLE as error:
        faults.add(Fault.BROKEN_ZIP, f"{shown}: {error}")
        return
    folders: dict[str, Folder] = {}
    named = sorted(((mended_name(member.filename), member) for member in members), key=lambda pair: pair[0])
    for inner, member in named:
        directory, _, base = inner.rpartition("/")
        if not base or _is_clutter(base) or directory.startswith("__MACOSX"):
            continue
        if base.lower().endswith(".zip"):
            faults.add(Fault.NESTED_ZIP, f"{shown}/{inner}")
            continue
        if directory not in folders:
            folders[directory] = Folder.parse((*top, *directory.split("/")))
        where = f"{shown}/{directory}" if directory else shown
        yield FoundFile(StoredFile(str(path), member.filename), folders[directory], where, base)


def _is_clutter(name: str) -> bool:
    """Whether it is the note of a synthetic set or a system's own, as macOS's `._0013….jpg` beside each picture."""
    return name.startswith("._") or name in (SYNTHETIC_MARKER, ".DS_Store", "Thumbs.db", "desktop.ini")


def find_photographs(folder: Path) -> list[Path]:
    """The pictures of a folder and those under it, in the order of their names. Raises DataSetInvalid."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PHOTOGRAPHS and path.is_file())
    if not found:
        raise DataSetInvalid(f"{folder} holds no pictures. Name a folder of photographs.")
    return found
