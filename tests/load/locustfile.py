"""Phones, browsers and senders without manners, as locust drives them; `python -m tests.load` starts the service.

    SCALP_LOAD_PHOTOS=folder locust --headless -f tests/load/locustfile.py --host http://127.0.0.1:8000 --users 20

Each user is another client to the service: an address of its own in `X-Forwarded-For`, which counts where one proxy is
trusted (`SCALP_TRUSTED_PROXIES=1`). A refusal is not a failure as long as it has a Retry-After: 503 while the
queue is full, 429 past the throttle. `SCALP_LOAD_OUT` names the file for what was accepted and how long it took.
"""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, between, constant, events, task
from locust.contrib.fasthttp import ResponseContextManager
from locust.env import Environment
from urllib3 import encode_multipart_formdata

COLLECTION = "/api/v1/analyses/"
ENDED = {"succeeded", "rejected", "failed", "canceled", "expired"}
AGES = ("10s", "20s", "30s", "40s", "50s", "60s", "70s", "80s")
KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}
STOP_POLLING = 286  #: htmx: this is the last part, ask no more

PHOTOS = [path.read_bytes() for path in sorted(Path(os.environ["SCALP_LOAD_PHOTOS"]).glob("*.jpg"))]
#: Seconds that a user thinks between two photos, at most; half of it at least.
PAUSE = float(os.environ.get("SCALP_LOAD_PAUSE", "10"))

accepted: list[dict[str, Any]] = []  #: id, who sent it, seconds from the first try to the end (None: never heard of)
refused: Counter[str] = Counter()  #: by who was refused and the status


@events.quitting.add_listener
def tell(environment: Environment, **_: Any) -> None:
    """Write down what was accepted, what was refused and what each kind of request took, in seconds."""
    if out := os.environ.get("SCALP_LOAD_OUT"):
        asked = {
            entry.name: {
                "requests": entry.num_requests,
                "failures": entry.num_failures,
                "p50": entry.get_response_time_percentile(0.5) / 1000,
                "p99": entry.get_response_time_percentile(0.99) / 1000,
            }
            for entry in environment.stats.entries.values()
        }
        failures = [
            f"{found.name}: {found.error} ({found.occurrences} ×)" for found in environment.stats.errors.values()
        ]
        Path(out).write_text(
            json.dumps({"accepted": accepted, "refused": refused, "asked": asked, "failures": failures})
        )


def photo() -> bytes:
    """A photo that was not sent before: bytes behind the end of a JPEG change its fingerprint and not the picture."""
    return random.choice(PHOTOS) + secrets.token_bytes(8)


def form(fields: dict[str, str], data: bytes) -> tuple[bytes, str]:
    """The body of a form with a photo, and its content type."""
    return encode_multipart_formdata({**fields, "photo": ("IMG_1.jpg", data, "image/jpeg")})


class Sender(FastHttpUser):
    """What all have in common: an address, and a photo that is on its way."""

    abstract = True
    network_timeout = 60.0
    patience = 90.0  #: seconds after which a user gives up on a photo

    def on_start(self) -> None:
        self.headers = {**KOREAN, "X-Forwarded-For": f"10.{random.randrange(256)}.{random.randrange(256)}.7"}

    def ask(self, method: str, path: str, name: str, fine: set[int], **options: Any) -> ResponseContextManager:
        """A request that fails where its status is none of the fine ones, or a refusal does not say until when."""
        headers = {**self.headers, **options.pop("headers", {})}
        with self.client.request(method, path, name=name, headers=headers, catch_response=True, **options) as answer:
            status = answer.status_code
            if status == 0:
                # A server may close a connection in the moment in which the next request comes over it (RFC 9112, 9.5):
                # the client tries again, as browsers do. `Traffic.complaints` holds how often that was.
                refused[f"{type(self).__name__} cut off"] += 1
                answer.success()
            elif status in {429, 503}:
                refused[f"{type(self).__name__} {status}"] += 1
                if not (answer.headers or {}).get("Retry-After"):
                    answer.failure(f"{status} without Retry-After")
                else:
                    answer.success()
            elif status in fine:
                answer.success()
            else:
                answer.failure(f"{status}: {(answer.text or '')[:200]}")
        return answer

    def note(self, analysis: str, begun: float) -> dict[str, Any]:
        entry = {"id": analysis, "who": type(self).__name__, "begun": begun, "seconds": None}
        accepted.append(entry)
        return entry

    def end(self, entry: dict[str, Any]) -> None:
        entry["seconds"] = time.monotonic() - entry["begun"]


class Phone(Sender):
    """The app: it sends a key with each photo, comes again when told to, and holds the line for the result."""

    weight = 5
    wait_time = between(PAUSE / 2, PAUSE)

    @task
    def have_a_photo_looked_at(self) -> None:
        begun = time.monotonic()
        submitted = self.submit(photo(), str(uuid.uuid4()), begun)
        if submitted is None:
            return
        entry, etag = self.note(submitted["id"], begun), ""
        while time.monotonic() - begun < self.patience:
            headers = {"Prefer": "wait=25"} | ({"If-None-Match": etag} if etag else {})
            answer = self.ask("GET", f"{COLLECTION}{submitted['id']}/", "status, held", {200, 304}, headers=headers)
            if answer.status_code == 200 and answer.json()["status"] in ENDED:
                self.end(entry)
                return
            told = answer.headers or {}
            etag = told.get("ETag", etag)
            if "Preference-Applied" not in told:
                gevent.sleep(float(told.get("Retry-After", 2)))

    def submit(self, data: bytes, key: str, begun: float) -> dict[str, Any] | None:
        """What the service says of the photo it took; None where it took none for as long as anybody would try."""
        answers = {"sex": random.choice(["male", "female", "undisclosed"]), "age": random.choice(AGES)}
        fields = {**answers, "consent": "true", "device": "phone"}
        while time.monotonic() - begun < self.patience:
            body, kind = form(fields, data)
            headers = {"Idempotency-Key": key, "Content-Type": kind}
            answer = self.ask("POST", COLLECTION, "submit", {202}, data=body, headers=headers)
            if answer.status_code == 202:
                return dict(answer.json())
            if answer.status_code not in {0, 429, 503}:
                return None
            # The same key again: whether the first try arrived or not, it becomes one analysis.
            gevent.sleep(float((answer.headers or {}).get("Retry-After", 1)))
        return None


class Browser(Sender):
    """The pages: all that the first one needs, then the form, and the part that htmx fetches at the pace it is told."""

    weight = 4
    wait_time = between(PAUSE / 2, PAUSE)

    def on_start(self) -> None:
        super().on_start()
        self.kept: set[str] = set()  #: Files with a digest in their name never change, so a browser asks for each once.

    @task
    def have_a_photo_looked_at(self) -> None:
        begun = time.monotonic()
        home = self.page("/", "page: home")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', home)
        key = re.search(r'name="key" value="([^"]+)"', home)
        if not token or not key:
            return
        gevent.sleep(random.uniform(PAUSE / 10, PAUSE / 5))  # The form wants reading.
        address = self.send({"csrfmiddlewaretoken": token[1], "key": key[1]}, begun)
        if address is None:
            return
        entry = self.note(address.split("/")[2], begun)
        part = self.page(address, "page: analysis")
        while time.monotonic() - begun < self.patience:
            pace = re.search(r'hx-trigger="every (\d+)s', part)
            if not pace:
                break  # The page showed the end at once.
            gevent.sleep(int(pace[1]))
            answer = self.ask("GET", address, "part: progress", {200, STOP_POLLING}, headers={"HX-Request": "true"})
            if answer.status_code == STOP_POLLING:
                break
            part = answer.text or part
        else:
            return
        self.end(entry)

    def page(self, path: str, name: str) -> str:
        """A page with the files that it names, as far as the browser does not have them yet."""
        text = self.ask("GET", path, name, {200}).text or ""
        for file in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text)) - self.kept:
            self.kept.add(file)
            self.ask("GET", file, "static file", {200})
        return text

    def send(self, hidden: dict[str, str], begun: float) -> str | None:
        """The address of the analysis; None where no photo was taken for as long as anybody would try."""
        data = photo()
        fields = {**hidden, "sex": "female", "age": random.choice(AGES), "device": "", "consent": "true"}
        headers = {"HX-Request": "true", "Origin": self.host, "Sec-Fetch-Site": "same-origin"}
        while time.monotonic() - begun < self.patience:
            body, kind = form(fields, data)
            sent = {**headers, "Content-Type": kind}
            answer = self.ask("POST", "/", "form", {200}, data=body, headers=sent)
            told = answer.headers or {}
            if "HX-Redirect" in told:
                return str(told["HX-Redirect"])
            if answer.status_code not in {0, 429, 503}:
                return None
            gevent.sleep(float(told.get("Retry-After", 1)))
        return None


class Hammer(Sender):
    """No manners: it sends without a pause whatever it is told, asks for all it has at once, and resends old photos."""

    weight = 1
    wait_time = constant(0.05)

    def on_start(self) -> None:
        super().on_start()
        self.open: list[dict[str, Any]] = []
        self.mine: set[str] = set()
        self.last: tuple[bytes, dict[str, str]] | None = None

    @task(3)
    def send(self) -> None:
        body, kind = form({"sex": "male", "age": "20s", "consent": "true"}, photo())
        self.last = (body, {"Content-Type": kind, "Idempotency-Key": str(uuid.uuid4())})
        self._submit()

    @task(1)
    def resend(self) -> None:
        if self.last:
            self._submit()

    @task(6)
    def poll(self) -> None:
        for entry in self.open[-10:]:
            answer = self.ask("GET", f"{COLLECTION}{entry['id']}/", "status, hammered", {200})
            if answer.status_code == 200 and answer.json()["status"] in ENDED:
                self.end(entry)
                self.open.remove(entry)

    def _submit(self) -> None:
        assert self.last
        begun = time.monotonic()
        answer = self.ask("POST", COLLECTION, "submit, hammered", {202}, data=self.last[0], headers=self.last[1])
        if answer.status_code == 202 and (analysis := answer.json()["id"]) not in self.mine:
            self.mine.add(analysis)
            self.open.append(self.note(analysis, begun))
