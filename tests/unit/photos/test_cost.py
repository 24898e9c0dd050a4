"""A hostile file costs neither memory nor time, and writes nothing to the log."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from backend.analyses.decoding import LARGE_BYTES
from backend.analyses.photos import PhotoRefused, photo_clean
from tests import decode_memory
from tests.support.environment import ROOT
from tests.support.photo_files import (
    png_chunk,
    png_claiming,
    png_with_broken_tags,
)
from tests.support.pictures import encoded, photo_jpeg
from tests.support.refused_photos import REFUSED

# pytest resets the filters that the module sets for the process.
pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")


LYING = [name for name in REFUSED if "claims" in name and "over little" not in name]


PEAK_AROUND_A_REFUSAL = """
import pathlib, re, sys
from backend.analyses.photos import PhotoRefused, photo_clean

def peak():
    # Not ru_maxrss: it starts from the peak of the process that this one was forked from.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])

photo = pathlib.Path(sys.argv[1]).read_bytes()
before = peak()
try:
    photo_clean(photo)
except PhotoRefused as refused:
    print(refused.code, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of the memory from /proc")
@pytest.mark.parametrize("name", LYING)
def test_a_lying_header_costs_no_memory(name: str, tmp_path: Path) -> None:
    make, expected = REFUSED[name]
    file = tmp_path / "photo"
    file.write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", PEAK_AROUND_A_REFUSAL, str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    code, grown = done.stdout.split()
    assert code == expected
    # In KB. Decoding would take 191 MB for the 50 megapixels, and 32 MB for the HEIC that hides 2,800 × 2,800.
    assert int(grown) < 10 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of the memory from /proc")
@pytest.mark.parametrize("name", [name for name in decode_memory.PICTURES if not name.startswith("HEIC, ")])
def test_the_largest_accepted_picture_takes_no_more_than_the_limit(name: str) -> None:
    # Two kinds of HEIC take half a minute to encode, so they are not here. 10 % more:
    # the limit counts pixels, not what the final photo and its color conversion take.
    assert decode_memory.measure(decode_memory.PICTURES[name]()) < 1.1 * LARGE_BYTES


def test_38_bytes_do_not_cost_a_gigabyte() -> None:
    tiny = encoded(Image.new("RGBA", (8000, 6240), (190, 140, 120, 200)), "WEBP", lossless=True, method=0)
    assert len(tiny) < 100
    with pytest.raises(PhotoRefused, match="photo_too_many_pixels"):
        photo_clean(tiny)


def test_broken_exif_says_nothing_in_the_log(tmp_path: Path) -> None:
    file = tmp_path / "photo"
    file.write_bytes(png_with_broken_tags(65_535))
    # In a process of its own: pytest has filters for warnings of its own.
    done = subprocess.run(
        [sys.executable, "-c", PEAK_AROUND_A_REFUSAL, str(file)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr[-2000:]) == (0, "", "")


@pytest.mark.parametrize(
    "filling",
    [
        b"\xff" * 10**7,
        b"\xff\xfe\0\2" + b"\xff" * 10**7 + photo_jpeg()[2:],
        b"\xff\xfe\0\2" + b"\xff\xd0" * 5_000_000,
    ],
    ids=["fill bytes without an end", "fill bytes before a photo", "restarts"],
)
def test_filling_costs_no_time(filling: bytes) -> None:
    """10 MB of it kept a core, and with it every thread of its process, for 8 s where a marker came, else for days."""
    began = time.thread_time()
    with pytest.raises(PhotoRefused, match="photo_unreadable"):
        photo_clean(b"\xff\xd8" + filling)
    assert time.thread_time() - began < 2


def test_a_png_of_too_many_chunks_is_refused_at_once() -> None:
    """800,000 of them took Pillow 7 s, in which no other thread of the process came to its turn."""
    began = time.thread_time()
    with pytest.raises(PhotoRefused, match="photo_unreadable"):
        photo_clean(png_claiming(96, 96, bytes((1 + 3 * 96) * 96), chunks=png_chunk(b"teXt", b"") * 800_000))
    assert time.thread_time() - began < 2
