"""Phones that send photos at a steady pace and poll: they obey `Retry-After`, and ask again where an answer is lost."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

import requests

from tests.chaos.supervised_stack import SupervisedStack
from tests.support.environment import until
from tests.support.stack import ENDED, scalp_photo

#: Seconds between two tries without an answer: half of what the page begins with.
PAUSE = 1.0


@cache
def photos() -> tuple[bytes, ...]:
    return tuple(scalp_photo(seed) for seed in range(8))


@dataclass
class Phone:
    """One photo from one phone."""

    photo: bytes
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    id: str | None = None
    status: str = ""
    ended_at: float | None = None


class Load:
    """`number` photos, evenly spread over `seconds`; each is sent by a thread of its own, which polls until its end."""

    def __init__(self, stack: SupervisedStack, number: int, seconds: float, patience: float) -> None:
        self.stack = stack
        self.patience = patience
        self.phones = [Phone(photos()[n % len(photos())]) for n in range(number)]
        #: How often each answer was given that neither accepted a photo nor told a status, by request and HTTP status.
        self.refusals: Counter[str] = Counter()
        self._began = time.monotonic()
        self._deadline = self._began + seconds + patience
        self._threads = [
            threading.Thread(target=self._life, args=(phone, self._began + n * seconds / number), daemon=True)
            for n, phone in enumerate(self.phones)
        ]

    def start(self) -> Load:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def add(self, photo: bytes) -> Phone:
        """One more phone with this photo, now; returned once its photo was accepted."""
        phone = Phone(photo)
        self.phones.append(phone)
        self._threads.append(threading.Thread(target=self._life, args=(phone, 0.0), daemon=True))
        self._threads[-1].start()
        until(lambda: phone.id, 60, "the acceptance of the photo")
        return phone

    def ids(self) -> list[UUID]:
        """The analyses that were accepted."""
        return [UUID(phone.id) for phone in self.phones if phone.id]

    def accepted(self) -> int:
        return sum(phone.id is not None for phone in self.phones)

    def until_accepted(self, share: float, seconds: float = 60) -> None:
        """Wait until this share of all photos was accepted."""
        wanted = share * len(self.phones)
        until(lambda: self.accepted() >= wanted, seconds, f"{wanted:g} accepted photos")

    def until_more(self, number: int, seconds: float = 60) -> None:
        """Wait until this many more photos have been accepted."""
        wanted = self.accepted() + number
        until(lambda: self.accepted() >= wanted, seconds, f"{number} more accepted photos")

    def until_ended(self, number: int, seconds: float = 60) -> None:
        """Wait until this many clients know their end."""
        until(lambda: sum(phone.ended_at is not None for phone in self.phones) >= number, seconds, f"{number} ends")

    def join(self) -> None:
        """Wait until each phone knows its end or has lost patience."""
        for thread in self._threads:
            thread.join(max(0.0, self._deadline - time.monotonic()) + 30)

    def ended_at(self) -> float:
        """When the last one knew its end, by the monotonic clock."""
        return max((phone.ended_at or self._deadline) for phone in self.phones)

    def _life(self, phone: Phone, begin: float) -> None:
        time.sleep(max(0.0, begin - time.monotonic()))
        while phone.id is None and time.monotonic() < self._deadline:
            self._send(phone)
        while phone.id is not None and phone.ended_at is None and time.monotonic() < self._deadline:
            self._poll(phone)

    def _send(self, phone: Phone) -> None:
        try:
            answer = self.stack.submit(phone.photo, headers={"Idempotency-Key": phone.key})
        except requests.RequestException:
            time.sleep(PAUSE)
            return
        if answer.status_code == 202:
            phone.id = answer.json()["id"]
        else:
            self._refused("submit", answer)

    def _poll(self, phone: Phone) -> None:
        try:
            answer = requests.get(f"{self.stack.url}/api/v1/analyses/{phone.id}/", timeout=30)
        except requests.RequestException:
            time.sleep(PAUSE)
            return
        if answer.status_code != 200:
            self._refused("poll", answer)
            return
        phone.status = answer.json()["status"]
        if phone.status in ENDED:
            phone.ended_at = time.monotonic()
        else:
            time.sleep(float(answer.headers["Retry-After"]))

    def _refused(self, request: str, answer: requests.Response) -> None:
        wait = answer.headers.get("Retry-After")
        self.refusals[f"{request} {answer.status_code}{'' if wait else ' without Retry-After'}"] += 1
        time.sleep(float(wait or PAUSE))
