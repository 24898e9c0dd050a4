from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from ml.data.synthetic import SIZE, scalp_picture
from ml.errors import PhotoUnreadable
from ml.preprocessing import Preprocessing, open_photo, prepare, to_tensor

SPEC = Preprocessing(32, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
PLAIN = Preprocessing(32, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def two_halves() -> Image.Image:
    """Red above blue, 64×32."""
    image = Image.new("RGB", (64, 32), "red")
    image.paste((0, 0, 255), (0, 16, 64, 32))
    return image


def test_channels_are_normalized_by_mean_and_standard_deviation() -> None:
    tensor = to_tensor(Image.new("RGB", (50, 40), (255, 128, 51)), SPEC)
    assert tensor.shape == (3, 32, 32)
    assert tensor.dtype == torch.float32
    red, green, blue = tensor.mean(dim=(1, 2)).tolist()
    assert (red, green, blue) == pytest.approx((1.0, 128 / 255 / 0.25 - 1, 0.2), abs=1e-5)
    assert tensor.std(dim=(1, 2)).max() < 1e-5


def test_normalizing_is_the_formula_and_lies_as_the_networks_read_it() -> None:
    image = scalp_picture(3)
    pixels = np.asarray(image.resize((32, 32), Image.Resampling.BICUBIC), np.float64) / 255
    expected = ((pixels - SPEC.mean) / SPEC.std).transpose(2, 0, 1)
    tensor = to_tensor(image, SPEC)
    assert np.abs(tensor.numpy() - expected).max() < 1e-6
    assert tensor.is_contiguous()


def test_stretch_keeps_the_whole_field_and_crop_keeps_the_middle() -> None:
    image = Image.new("RGB", (96, 32), "black")
    image.paste((255, 255, 255), (0, 0, 32, 32))
    stretched = to_tensor(image, PLAIN)
    cropped = to_tensor(image, Preprocessing(32, PLAIN.mean, PLAIN.std, aspect="crop"))
    assert stretched[0, :, :8].min() > 0.95
    assert stretched[0, :, 16:].max() < 0.05
    assert cropped.max() < 0.05


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_shrinking_filters_first(interpolation: str) -> None:
    checks = np.indices((320, 320)).sum(axis=0) % 2 * 255
    image = Image.fromarray(checks.astype(np.uint8)).convert("RGB")
    tensor = to_tensor(image, Preprocessing(32, PLAIN.mean, PLAIN.std, interpolation=interpolation))  # type: ignore[arg-type]
    assert (tensor - 0.5).abs().max() < 0.02


def test_the_orientation_that_a_phone_notes_is_applied() -> None:
    image = two_halves()
    exif = Image.Exif()
    exif[0x0112] = 6  # The camera was turned: show it rotated by 90° clockwise.
    turned = open_photo(encoded(image, "JPEG", exif=exif, quality=95))
    assert turned.size == (32, 64)
    left, right = turned.getpixel((4, 32)), turned.getpixel((28, 32))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[2] > 200 > 60 > left[0]
    assert right[0] > 200 > 60 > right[2]


@pytest.mark.parametrize(
    ("mode", "format_"),
    [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("P", "PNG"), ("RGB", "WEBP"), ("RGB", "HEIF")],
)
def test_every_kind_of_picture_becomes_rgb(mode: str, format_: str) -> None:
    photo = open_photo(encoded(two_halves().convert(mode), format_))
    assert (photo.mode, photo.size) == ("RGB", (64, 32))


def test_bytes_a_path_and_an_image_give_the_same(tmp_path: Path) -> None:
    image = scalp_picture(1)
    path = tmp_path / "photo.png"
    image.save(path)
    tensors = [prepare(photo, [SPEC]).tensors[SPEC] for photo in (image, path, path.read_bytes())]
    assert torch.equal(tensors[0], tensors[1])
    assert torch.equal(tensors[0], tensors[2])


def test_one_decoding_serves_every_specification() -> None:
    prepared = prepare(scalp_picture(1), {SPEC, PLAIN})
    assert set(prepared.tensors) == {SPEC, PLAIN}
    assert prepare(scalp_picture(1), [SPEC, SPEC]).tensors.keys() == {SPEC}


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same_to_the_models(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encoded(scalp_picture(3).resize((1600, 1200)), "JPEG", quality=90, exif=exif)
    reduced, whole = prepare(data, [SPEC]), prepare(open_photo(data), [SPEC])
    levels = (reduced.tensors[SPEC] - whole.tensors[SPEC]).abs() * torch.tensor(SPEC.std)[:, None, None] * 255
    assert 0 < levels.mean() < 1.5
    assert reduced.quality.sharpness == pytest.approx(whole.quality.sharpness, rel=0.02)
    assert reduced.quality.brightness == pytest.approx(whole.quality.brightness, abs=0.005)


def test_a_jpeg_with_too_few_pixels_to_spare_is_decoded_whole() -> None:
    data = encoded(scalp_picture(3), "JPEG")
    large = Preprocessing(300, SPEC.mean, SPEC.std)
    assert torch.equal(prepare(data, [large]).tensors[large], prepare(open_photo(data), [large]).tensors[large])


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", encoded(scalp_picture(1), "JPEG")[:4000], encoded(scalp_picture(1), "PNG")[:-3000]],
    ids=["empty", "text", "cut jpeg", "cut png"],
)
def test_what_is_no_whole_picture_is_unreadable(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(PhotoUnreadable, match="cannot be read"):
        open_photo(data)
    path = tmp_path / "photo.jpg"
    path.write_bytes(data)
    with pytest.raises(PhotoUnreadable, match=r"photo\.jpg"):
        open_photo(path)


def test_a_missing_file_is_unreadable_and_named(tmp_path: Path) -> None:
    with pytest.raises(PhotoUnreadable, match=r"gone\.jpg: no such file"):
        open_photo(tmp_path / "gone.jpg")


def test_many_threads_prepare_the_same() -> None:
    data = encoded(scalp_picture(2), "JPEG")
    with ThreadPoolExecutor(8) as threads:
        tensors = list(threads.map(lambda _: prepare(data, [SPEC]).tensors[SPEC], range(32)))
    assert all(torch.equal(tensor, tensors[0]) for tensor in tensors)


def test_synthetic_pictures_are_of_the_scope_s_size_and_follow_their_seed() -> None:
    first, again, other = scalp_picture(5), scalp_picture(5), scalp_picture(6)
    assert first.size == SIZE == (640, 480)
    assert first.mode == "RGB"
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()
