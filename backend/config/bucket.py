"""Photos in a bucket of S3 or an S3-compatible server, `SCALP_STORAGE_URL=s3://…`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

#: Names per page of a listing, the maximum of S3.
PAGE_SIZE = 1000


class BucketUnavailable(OSError):
    """The bucket cannot be reached, is too slow, or denies access."""


@contextmanager
def _as_os_errors(name: str) -> Iterator[None]:
    """Translate errors into those of a folder: FileNotFoundError if there is no such photo, OSError otherwise."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in {
            "NoSuchKey",
            "404",
        }:  # Not NoSuchBucket.
            raise FileNotFoundError(name) from None
        raise BucketUnavailable(f"{error.operation_name}: {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise BucketUnavailable(type(error).__name__) from error


class Bucket(S3Storage):
    """One request per photo written, read or deleted, by one client that all threads of a process share.

    django-storages opens a session per thread, checks whether a name is taken before it writes (ours never is), checks
    an object before it reads it, and transfers it in separate threads: good for large files, which we do not have.
    """

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with _as_os_errors(name):
            return ContentFile(self._ask("get_object", name)["Body"].read(), name=name)

    def _save(self, name: str, content: File[bytes]) -> str:
        content.seek(0)
        with _as_os_errors(name):
            self._ask("put_object", name, Body=content.read(), **self._get_write_parameters(name, content))
        return name

    def exists(self, name: str) -> bool:
        try:
            with _as_os_errors(name):
                self._ask("head_object", name)
        except FileNotFoundError:
            return False
        return True

    def delete(self, name: str) -> None:
        with _as_os_errors(name):
            self._ask("delete_object", name)

    def names_before(self, moment: datetime) -> Iterator[str]:
        """The names of objects last written before `moment`, listed page by page."""
        prefix = f"{self.location}/" if self.location else ""
        with _as_os_errors(prefix):
            pages = self.bucket.meta.client.get_paginator("list_objects_v2")
            each = {"PageSize": PAGE_SIZE}
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=prefix, Delimiter="/", PaginationConfig=each):
                for found in page.get("Contents", ()):
                    if found["LastModified"] < moment and found["Key"] != prefix:
                        yield found["Key"].removeprefix(prefix)

    def _ask(self, operation: str, name: str, **parameters: Any) -> Any:
        key = self._normalize_name(clean_name(name))
        return getattr(self.bucket.meta.client, operation)(Bucket=self.bucket_name, Key=key, **parameters)
