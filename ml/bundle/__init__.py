"""Bundles: seven models as a folder of safetensors files and one `bundle.json`. Never a pickle."""

from ml.bundle.bundle import MANIFEST_FILE, Bundle, write_bundle

__all__ = ["MANIFEST_FILE", "Bundle", "write_bundle"]
