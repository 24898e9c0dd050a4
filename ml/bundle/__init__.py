"""Bundles: seven models as a folder of safetensors files and one `bundle.json`. Never a pickle."""

from ml.bundle.bundle import Bundle, write_bundle
from ml.bundle.verification import MANIFEST_FILE

__all__ = ["MANIFEST_FILE", "Bundle", "write_bundle"]
