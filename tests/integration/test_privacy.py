"""What a photo and its sender tell of themselves is nowhere: in no file, log, table, key or answer of the service.

Real parts get photos full of marks. Whatever they leave behind is then searched, byte by byte.
"""

from __future__ import annotations

import base64
import re
import secrets
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from PIL import Image

from tests.support.environment import postgresql, until
from tests.support.photo_metadata import MARK, photo_telling_all
from tests.support.pictures import encoded, scalp
from tests.support.stack import Stack

pytestmark = [pytest.mark.processes, pytest.mark.database]

FILE_NAME = "holiday-of-somebody-4K.jpg"
AGENT = "Telephone-of-somebody/8.1"
MAIL = "somebody.private@mail.example"
ADDRESS = "203.0.113.77"  # reserved for documents, RFC 5737
MARKS = (MARK, FILE_NAME.removesuffix(".jpg"), AGENT, MAIL, ADDRESS)

#: What they say of themselves: in HTTP's words and in those of `Human`. Both belong into rows and nowhere else.
ANSWERS = {"sex": "undisclosed", "age": "80s", "consent": "true"}
ANSWER_WORDS = ("undisclosed", "80s", "미응답", "80대")

RETENTION_SECONDS = 36.0

PHOTOS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: photo_telling_all("JPEG"),
    "MPO": lambda: encoded(scalp(), "MPO", save_all=True, append_images=[Image.new("RGB", (160, 120))], comment=MARK),
    "HEIC": lambda: photo_telling_all("HEIF"),
    "PNG": lambda: photo_telling_all("PNG"),
    "WebP": lambda: photo_telling_all("WEBP"),
    "BMP": lambda: encoded(scalp(), "BMP") + MARK.encode(),
}


@dataclass
class Crowd:
    """Photos that were sent to a service, by what became of them."""

    stack: Stack
    ids: dict[str, str] = field(default_factory=dict)

    def send(self, photo: bytes, **answers: str) -> requests.Response:
        """As a phone that tells a lot of its owner."""
        assert MARK.encode() in photo
        return requests.post(
            f"{self.stack.url}/api/v1/analyses/",
            files={"photo": (FILE_NAME, photo, "image/jpeg")},
            data={**ANSWERS, **answers},
            headers={
                "User-Agent": AGENT,
                "From": MAIL,
                "X-Forwarded-For": ADDRESS,
                "Idempotency-Key": f"{MAIL} {secrets.token_hex(4)}",
            },
            timeout=60,
        )

    def send_by_page(self, photo: bytes) -> str:
        """As a browser; the id of the analysis."""
        with requests.Session() as browser:
            browser.headers.update({"User-Agent": AGENT, "X-Forwarded-For": ADDRESS})
            browser.get(f"{self.stack.url}/?from={MAIL}", timeout=30)
            answers = {**ANSWERS, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            page = browser.post(
                f"{self.stack.url}/",
                data=answers,
                files={"photo": (FILE_NAME, photo)},
                timeout=60,
                allow_redirects=False,
            )
        assert page.status_code == 303
        return page.headers["Location"].split("/")[2]

    def flower(self, path: str) -> bytes:
        answer = requests.get(f"http://127.0.0.1:{self.stack.flower_port}/{path}", timeout=10)
        assert answer.status_code == 200
        return answer.content


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory, small_bundle: Path) -> Iterator[Crowd]:
    folder = tmp_path_factory.mktemp("privacy")
    (folder / "tmp").mkdir()
    stack = Stack(
        folder, small_bundle,
        SCALP_RETENTION_HOURS=str(RETENTION_SECONDS / 3600), SCALP_TRUSTED_PROXIES="1",
        TMPDIR=str(folder / "tmp"), FLOWER_UNAUTHENTICATED_API="true",
    )  # fmt: skip
    crowd = Crowd(stack)
    try:
        stack.up()
        stack.start("flower")
        until(lambda: _answers(f"http://127.0.0.1:{stack.flower_port}/healthcheck"), 60, "Flower")
        _send_all(crowd)
        yield crowd
    finally:
        stack.down()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def _send_all(crowd: Crowd) -> None:
    stack, ids = crowd.stack, crowd.ids
    # One whose photo breaks in storage while it waits: it fails.
    stack.freeze_model()
    ids["failed"] = crowd.send(PHOTOS["JPEG"]()).json()["id"]
    photo = stack.folder / "var" / "photos" / f"{ids['failed'].replace('-', '')}.jpg"
    photo.write_bytes(photo.read_bytes()[:200])
    stack.kill("model", signal.SIGCONT)

    for kind, make in PHOTOS.items():
        ids[kind] = crowd.send(make()).json()["id"]
    ids["page"] = crowd.send_by_page(PHOTOS["JPEG"]())
    ids["erased"] = crowd.send(PHOTOS["PNG"]()).json()["id"]
    dark = encoded(Image.new("RGB", (320, 240), (2, 2, 2)), comment=MARK)
    ids["rejected"] = crowd.send(dark).json()["id"]
    refused = [
        crowd.send(MARK.encode() * 9),
        crowd.send(PHOTOS["JPEG"](), sex=MARK),
        crowd.send(dark[:400] + MARK.encode()),
    ]
    assert [answer.status_code for answer in refused] == [415, 422, 422]

    ended = {name: stack.wait(analysis)["status"] for name, analysis in ids.items()}
    assert ended == {name: name if name in {"failed", "rejected"} else "succeeded" for name in ids}
    for path, body in (("feedback", {"symptom": "dandruff", "opinion": "less"}), ("share", None)):
        url = f"{stack.url}/api/v1/analyses/{ids['JPEG']}/{path}/"
        assert requests.post(url, json=body, headers={"User-Agent": AGENT}, timeout=30).ok


# What is left behind, by where it lies


def files_left(stack: Stack) -> dict[str, bytes]:
    """Everything that the parts wrote: database, photos, logs, the broker's files, schedule, temporary files."""
    places = [stack.folder]
    if postgresql:
        places += [postgresql.folder, postgresql.log]
    found = {}
    for place in places:
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file() and "static" not in path.relative_to(place).parts:
                found[str(path)] = path.read_bytes()
    return found


def keys_left(stack: Stack) -> dict[str, bytes]:
    """What the broker holds now."""
    with redis.Redis.from_url(stack.environment["SCALP_BROKER_URL"]) as broker:
        return {f"broker {key!r}": key + (broker.dump(key) or b"") for key in broker.scan_iter()}


def dump_of(stack: Stack) -> str:
    """The database as text."""
    if postgresql:
        dump = [str(postgresql.programs / "pg_dump"), "--inserts", stack.environment["SCALP_DATABASE_URL"]]
        return subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    with closing(sqlite3.connect(stack.folder / "var" / "db.sqlite3")) as database:
        return "\n".join(database.iterdump())


def logs_of(stack: Stack) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in stack.folder.glob("*.log")}


def seen_by_flower(crowd: Crowd) -> dict[str, bytes]:
    pages = ("api/tasks?taskname=analyse_photo", "api/workers", "tasks", "workers", "broker")
    return {f"Flower {page}": crowd.flower(page) for page in pages}


def disguises(mark: str) -> list[bytes]:
    """The mark as it may lie somewhere: as text, as Windows writes it, and inside of what was encoded as base64."""
    forms = [mark.encode(), mark.encode("utf-16-le"), mark.encode("utf-16-be"), mark.encode().hex().encode()]
    for shift in range(3):
        # Of each alignment the middle, which does not hang on what stands around it.
        forms.append(base64.b64encode(b"x" * shift + mark.encode())[4 if shift else 0 : -4])
    return forms


def where(mark: str, places: dict[str, bytes]) -> list[str]:
    return [place for place, content in places.items() if any(form in content for form in disguises(mark))]


# The tests, in this order: the last ones take away what the first ones search


def test_no_mark_of_photo_or_sender_is_anywhere(crowd: Crowd) -> None:
    places = {
        **files_left(crowd.stack),
        **keys_left(crowd.stack),
        **seen_by_flower(crowd),
        "dump": dump_of(crowd.stack).encode(),
    }
    # What is there to be found is found, in each kind of place.
    photo = crowd.ids["JPEG"].replace("-", "")
    found = where(crowd.ids["JPEG"], places) + where(photo, places)
    for kind in ("web.log", "model.log", "appendonly", "dump"):
        assert any(kind in place for place in found), kind
    # Its address is as good as its report, and Flower is open to more people than reports are.
    assert b"analyse_photo" in places["Flower api/tasks?taskname=analyse_photo"]
    assert [place for place in found if "Flower" in place] == []
    assert any(place.endswith(f"{photo}.jpg") for place in places)
    assert {mark: where(mark, places) for mark in MARKS} == {mark: [] for mark in MARKS}


def test_the_search_would_find_them(tmp_path: Path) -> None:
    for kind, make in PHOTOS.items():
        for content in (make(), base64.b64encode(b"?" + make()), MARK.encode("utf-16-le")):
            assert where(MARK, {kind: content}) == [kind]


def test_answers_are_in_rows_and_nowhere_else(crowd: Crowd) -> None:
    dump = dump_of(crowd.stack)
    elsewhere = {**logs_of(crowd.stack), **keys_left(crowd.stack), **seen_by_flower(crowd)}
    elsewhere |= {place: raw for place, raw in files_left(crowd.stack).items() if "/broker/" in place}
    assert crowd.ids["JPEG"].encode() in b"".join(logs_of(crowd.stack).values())
    for word in ANSWER_WORDS:
        assert word in dump
        whole = re.compile(rb"(?<![0-9A-Za-z])" + re.escape(word.encode()) + rb"(?![0-9A-Za-z])")
        assert [place for place, content in elsewhere.items() if whole.search(content)] == []


def test_photos_are_kept_for_their_owner_alone_under_no_name_of_theirs(crowd: Crowd) -> None:
    photos = list((crowd.stack.folder / "var" / "photos").iterdir())
    assert all(re.fullmatch(r"[0-9a-f]{32}\.jpg", photo.name) for photo in photos)
    assert all(photo.stat().st_mode & 0o077 == 0 for photo in photos)
    assert list((crowd.stack.folder / "tmp").rglob("*.jpg")) == []


def test_of_an_erased_analysis_the_tombstone_is_left_and_nothing_else(crowd: Crowd) -> None:
    stack, analysis = crowd.stack, crowd.ids["erased"]
    key = analysis.replace("-", "")
    row = stack.rows(f"list(Analysis.objects.filter(id='{analysis}').values('fingerprint', 'idempotency_key'))")[0]
    url = f"{stack.url}/api/v1/analyses/{analysis}/"
    assert requests.delete(url, timeout=30).status_code == 204
    assert {requests.get(url + path, timeout=30).status_code for path in ("", "photo/", "export/")} == {410}
    assert requests.get(f"{stack.url}/analyses/{analysis}/", timeout=30).status_code == 410

    traces = (row["fingerprint"], row["idempotency_key"], f"{key}.jpg")
    lines = [line for line in dump_of(stack).splitlines() if key in line or analysis in line]
    assert len(lines) == 1
    assert "analyses_erasure" in lines[0]
    assert not any(trace in dump_of(stack) for trace in traces)
    if not postgresql:  # Which overwrites in its own time: `write_ahead_log_wipe`.
        files = stack.folder / "var"

        def nothing_left() -> bool:
            raw = b"".join(path.read_bytes() for path in files.glob("db.sqlite3*"))
            return not any(trace.encode() in raw for trace in traces)

        until(nothing_left, 30, "the end of its traces in SQLite's files")


def test_photos_go_by_the_schedule_and_results_stay(crowd: Crowd) -> None:
    stack = crowd.stack
    photos = stack.folder / "var" / "photos"
    until(lambda: not any(photos.iterdir()), RETENTION_SECONDS + 30, "the purge")
    succeeded = stack.status(crowd.ids["JPEG"])
    assert len(succeeded["result"]["findings"]) == 6
    gone = requests.get(f"{stack.url}/api/v1/analyses/{crowd.ids['JPEG']}/photo/", timeout=30)
    assert (gone.status_code, gone.json()["code"]) == (404, "photo_purged")
    kept: Any = stack.rows("list(Analysis.objects.exclude(photo='').values_list('id', flat=True))")
    assert kept == []
    assert stack.rows("Finding.objects.exclude(map=None).count()") == 0
