"""Static files whose names contain a hash of their content, so that browsers may cache them forever."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

_IMPORTS = HashedFilesMixin._js_module_import_aggregation_patterns[1]  # type: ignore[attr-defined]


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Also rewrites the imports of our own JavaScript modules; those of packages name files that are not shipped.

    Compresses with gzip only: WhiteNoise uses brotli if any package has installed it, which made the first start
    minutes longer, and the proxy does not serve such files.
    """

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("js/*.js", _IMPORTS))

    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(use_brotli=False, **options)
