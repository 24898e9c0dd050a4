"""Photos in a bucket: a real server that speaks S3, slow, away, and with more in it than one page lists."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from backend.analyses.selectors.photo import stored_photo
from backend.analyses.services import retention
from backend.analyses.services.retention import Purged, photos_purge
from backend.config.bucket import BucketUnavailable
from backend.config.environment import bucket_client
from deploy.launcher.settings import free_port
from tests.support.analyses import fresh, past_retention, queued, succeeded
from tests.support.bucket import ACCESS_KEY, BUCKET, SECRET_KEY, BucketServer

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("broker")]

ANSWER_SECONDS = 1.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    running = BucketServer(tmp_path_factory.mktemp("bucket"))
    yield running
    running.stop()


def in_bucket(settings: Any, **options: str) -> None:
    given = {
        "bucket_name": BUCKET,
        "location": "photos",
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "region_name": "ap-northeast-2",
        "client_config": bucket_client(ANSWER_SECONDS, "path"),
        **options,
    }
    default = {"BACKEND": "backend.config.bucket.Bucket", "OPTIONS": given}
    settings.STORAGES = {**settings.STORAGES, "default": default}


@pytest.fixture
def bucket(server: BucketServer, settings: Any) -> BucketServer:
    """The bucket, empty, as the storage of this test."""
    for name in server.names():
        server.client.delete_object(Bucket=BUCKET, Key=f"photos/{name}")
    in_bucket(settings, endpoint_url=server.endpoint)
    return server


def store(name: str) -> None:
    default_storage.save(name, ContentFile(b"a photo"))


def test_a_photo_is_sent_shown_purged_and_gone(bucket: BucketServer, client: Client) -> None:
    analysis, erased = succeeded(), succeeded()
    assert bucket.names() == {analysis.photo, erased.photo}
    shown = client.get(f"/api/v1/analyses/{analysis.id}/photo/")
    assert (shown.status_code, shown.content) == (200, stored_photo(analysis.photo))
    kind = bucket.client.head_object(Bucket=BUCKET, Key=f"photos/{analysis.photo}")["ContentType"]
    assert kind == "image/jpeg"
    assert client.delete(f"/api/v1/analyses/{erased.id}/").status_code == 204
    assert bucket.names() == {analysis.photo}
    past_retention(analysis)
    assert photos_purge() == Purged(expired=0, photos=1, orphans=0)
    assert bucket.names() == set()
    assert client.get(f"/api/v1/analyses/{analysis.id}/photo/").status_code == 404


def test_orphans_are_swept_page_by_page_and_what_has_a_row_stays(
    bucket: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [queued() for _ in range(3)]
    for _ in range(12):
        bucket.client.put_object(Bucket=BUCKET, Key=f"photos/{uuid4().hex}.jpg", Body=b"left behind")
    bucket.client.put_object(Bucket=BUCKET, Key="photos/deeper/not-ours.jpg", Body=b"of another program")
    assert photos_purge(orphans=False) == Purged(expired=0, photos=0, orphans=0)
    assert photos_purge() == Purged(expired=0, photos=0, orphans=0)  # They are too young.
    monkeypatch.setattr(retention, "ORPHAN_AGE", -retention.ORPHAN_AGE)
    monkeypatch.setattr(retention, "BATCH_SIZE", 4)
    assert photos_purge() == Purged(expired=0, photos=0, orphans=12)
    assert bucket.names() == {analysis.photo for analysis in kept} | {"deeper/not-ours.jpg"}


def test_more_than_a_page_of_photos_is_listed(bucket: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"{n}.jpg" for n in range(12)}
    for name in names:
        store(name)
    monkeypatch.setattr("backend.config.bucket.PAGE_SIZE", 5)
    before = bucket.log.read_text().count("list-type=2")
    assert set(default_storage.names_before(timezone.now() + timedelta(hours=1))) == names
    assert bucket.log.read_text().count("list-type=2") - before == 3


def test_a_photo_that_is_not_there_reads_as_from_a_folder(bucket: BucketServer) -> None:
    with pytest.raises(FileNotFoundError):
        stored_photo("nowhere.jpg")
    default_storage.delete("nowhere.jpg")
    assert not default_storage.exists("nowhere.jpg")
    store("somewhere.jpg")
    assert default_storage.exists("somewhere.jpg")


@pytest.mark.parametrize("wrong", [{"bucket_name": "nobodys"}, {"endpoint_url": f"http://127.0.0.1:{free_port()}"}])
def test_a_bucket_that_is_away_is_no_photo_that_is_gone(
    bucket: BucketServer, settings: Any, wrong: dict[str, str]
) -> None:
    analysis = queued()
    in_bucket(settings, **{"endpoint_url": bucket.endpoint, **wrong})
    begun = time.monotonic()
    for attempt in (stored_photo, default_storage.delete, store):
        with pytest.raises(BucketUnavailable):
            attempt(analysis.photo)
    with pytest.raises(BucketUnavailable):
        photos_purge()
    assert time.monotonic() - begun < 20
    assert fresh(analysis).status == "queued"


def test_a_bucket_that_hangs_is_not_waited_for_long(bucket: BucketServer) -> None:
    analysis = queued()
    bucket.process.send_signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(BucketUnavailable):
            stored_photo(analysis.photo)
        with pytest.raises(BucketUnavailable):
            store("another.jpg")
        assert time.monotonic() - begun < 2 * 2 * (ANSWER_SECONDS + 2)
    finally:
        bucket.process.send_signal(signal.SIGCONT)
    assert stored_photo(analysis.photo)[:2] == b"\xff\xd8"
