"""Static files as they are collected."""

from __future__ import annotations

from importlib.util import find_spec

from backend.config.static import StaticFiles


def test_static_files_are_compressed_with_gzip_only() -> None:
    assert find_spec("brotli"), "Without brotli here this could not fail."
    compressor = StaticFiles().create_compressor(quiet=True)
    assert compressor.use_gzip
    assert not compressor.use_brotli
