"""The most memory that cleaning takes, for the largest accepted picture of each kind: `python -m tests.decode_memory`.

Prints a table: file size, peak for one photo, and peak for 16 at once in one process.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from tests.support.environment import ROOT

#: The largest that phones call 50 megapixels.
PHONE = (8192, 6144)


def _save(mode: str, size: tuple[int, int], file_format: str, **options: object) -> Callable[[], bytes]:
    def make() -> bytes:
        from PIL import Image

        picture = Image.new(mode, size, {"P": 7, "I;16": 30_000, "1": 1}.get(mode, (190, 140, 120, 200)[: len(mode)]))
        if mode == "P":
            picture.putpalette([value for gray in range(256) for value in (gray, gray, gray)])
        file = io.BytesIO()
        picture.save(file, file_format, **options)
        return file.getvalue()

    return make


#: For each kind, the largest picture that is accepted.
PICTURES: dict[str, Callable[[], bytes]] = {
    "JPEG": _save("RGB", PHONE, "JPEG"),
    "JPEG, not reduced": _save("RGB", (4790, 4790), "JPEG", subsampling=0),
    "JPEG, CMYK": _save("CMYK", PHONE, "JPEG"),
    "JPEG, progressive": _save("RGB", PHONE, "JPEG", progressive=True, subsampling=0),
    "JPEG, progressive CMYK": _save("CMYK", (6600, 6600), "JPEG", progressive=True),
    "HEIC": _save("RGB", PHONE, "HEIF", quality=10),
    "HEIC, 4:4:4": _save("RGB", (5200, 5200), "HEIF", quality=10, chroma=444),
    "HEIC, RGBA": _save("RGBA", (5200, 5200), "HEIF", quality=10),
    "WebP, RGB lossless": _save("RGB", (4000, 4000), "WEBP", lossless=True, method=0),
    "WebP, RGBA lossless": _save("RGBA", (4000, 4000), "WEBP", lossless=True, method=0),
    "WebP, RGB": _save("RGB", (4000, 4000), "WEBP", quality=30, method=0),
    "WebP, RGBA": _save("RGBA", (4000, 4000), "WEBP", quality=30, method=0),
    "PNG, RGB": _save("RGB", PHONE, "PNG"),
    "PNG, RGBA": _save("RGBA", PHONE, "PNG"),
    "PNG, palette": _save("P", PHONE, "PNG"),
    "PNG, palette with transparency": _save("P", PHONE, "PNG", transparency=7),
    "PNG, 16-bit gray": _save("I;16", PHONE, "PNG"),
    "BMP, 1 bit": _save("1", PHONE, "BMP"),
}


def measure(photo: bytes, at_once: int = 1) -> int:
    """By how many bytes the peak of a new process grows when it cleans the photo several times at once."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(photo)
        file.flush()
        command = [sys.executable, "-m", "tests.decode_memory", file.name, str(at_once)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def _peak() -> int:
    # Not ru_maxrss: it starts from the peak of the process that this one was forked from.
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def _clean(path: str, at_once: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
    from backend.analyses import decoding
    from backend.analyses.photos import photo_clean
    from tests.support.pictures import photo_jpeg

    decoding.DECODE_WAIT_SECONDS = 600.0  # all 16 are to be decoded
    photo_clean(photo_jpeg())  # what is loaded once does not count
    photo = Path(path).read_bytes()
    before = _peak()
    if at_once == 1:
        photo_clean(photo)
    else:
        threads = [threading.Thread(target=photo_clean, args=(photo,)) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(_peak() - before)


def main() -> None:
    from PIL import Image

    import backend.analyses.photos  # noqa: F401 - registers HEIC

    Image.MAX_IMAGE_PIXELS = None
    print(f"{'':32}{'file':>12}{'one':>9}{'16 at once':>12}")
    for name, make in PICTURES.items():
        photo = make()
        one, many = measure(photo), measure(photo, 16)
        print(f"{name:32}{len(photo):>10} B{one / 1e6:>6.0f} MB{many / 1e6:>9.0f} MB", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _clean(sys.argv[1], int(sys.argv[2]))
    else:
        main()
