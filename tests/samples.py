"""The drawn scalps that the first page offers: `python -m tests.samples` draws them again into frontend/static."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from backend.analyses.pages.sample_photos import SAMPLE_PHOTOS, SamplePhoto
from ml.data.synthetic import draw_scalp

FOLDER = Path(__file__).parent.parent / "frontend" / "static" / "samples"
COMMENT = b"Synthetic: drawn by ScalpSpectra, shows nobody."


def draw_sample(sample: SamplePhoto) -> Image.Image:
    """A scalp that says in its corner that it is drawn, wherever it is shown."""
    picture = draw_scalp(sample.seed, sample.grades)
    corner = (picture.width - 12, picture.height - 10)
    font = ImageFont.load_default(20)
    ImageDraw.Draw(picture).text(corner, "SYNTHETIC", "white", font, anchor="rs", stroke_width=2, stroke_fill="black")
    return picture


def sample_jpeg(sample: SamplePhoto) -> bytes:
    file = io.BytesIO()
    draw_sample(sample).save(file, "JPEG", quality=82, optimize=True, comment=COMMENT)
    return file.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for sample in SAMPLE_PHOTOS:
        (FOLDER / f"{sample.key}.jpg").write_bytes(sample_jpeg(sample))
