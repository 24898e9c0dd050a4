"""Static files under names that change with their content, so that browsers may keep them for good."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

_IMPORTS = HashedFilesMixin._js_module_import_aggregation_patterns[1]  # type: ignore[attr-defined]


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Renames what our own modules import too; those of others name files that they don't bring along.

    Compresses with gzip alone: WhiteNoise takes brotli wherever some package has brought it along, which here made the
    first start minutes longer, and the proxy knows no such files.
    """

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("js/*.js", _IMPORTS))

    def create_compressor(self, **options: Any) -> Compressor:
        return Compressor(use_brotli=False, **options)
