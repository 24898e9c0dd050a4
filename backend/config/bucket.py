"""Photos in a bucket of S3 or of what speaks like it, `SCALP_STORAGE_URL=s3://…`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

#: So many names come with one answer to a listing, which is the most that S3 tells.
PAGE = 1000


class BucketUnavailable(OSError):
    """The bucket can't be reached, is too slow, or refuses."""


@contextmanager
def _as_os_errors(name: str) -> Iterator[None]:
    """What a folder would raise: FileNotFoundError where there is no such photo, OSError for all else."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:  # A bucket that is not there is another 404.
            raise FileNotFoundError(name) from None
        raise BucketUnavailable(f"{error.operation_name}: {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise BucketUnavailable(type(error).__name__) from error


class Bucket(S3Storage):
    """One request for each photo written, read or deleted, by one client that all threads of a process share.

    django-storages opens a session for each thread, asks whether a name is taken before it writes (ours never is), asks
    for an object before it reads it, and moves it in threads of its own: good for large files, of which we have none.
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
        """The names of what was last written before `moment`, listed page by page."""
        prefix = f"{self.location}/" if self.location else ""
        with _as_os_errors(prefix):
            pages = self.bucket.meta.client.get_paginator("list_objects_v2")
            each = {"PageSize": PAGE}
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=prefix, Delimiter="/", PaginationConfig=each):
                for found in page.get("Contents", ()):
                    if found["LastModified"] < moment and found["Key"] != prefix:
                        yield found["Key"].removeprefix(prefix)

    def _ask(self, operation: str, name: str, **parameters: Any) -> Any:
        key = self._normalize_name(clean_name(name))
        return getattr(self.bucket.meta.client, operation)(Bucket=self.bucket_name, Key=key, **parameters)
