"""The whole service over RabbitMQ, with its photos in a bucket: parts by URL, killed, hung, wiped and started again."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from amqp.exceptions import NotFound
from kombu import Connection

from tests.support.bucket import ACCESS_KEY, SECRET_KEY, BucketServer
from tests.support.environment import until
from tests.support.rabbitmq import RabbitMQ, needs_rabbitmq
from tests.support.stack import Stack
from tests.support.succeeded import assert_each_succeeded_once

pytestmark = [pytest.mark.processes, needs_rabbitmq]

TEN = 10
LIMIT = 100


class OverRabbitMQ(Stack):
    """The service whose broker is RabbitMQ and whose storage is a bucket."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.rabbitmq = RabbitMQ(folder / "rabbitmq")
        self.bucket = BucketServer(folder)
        keys = {"access": ACCESS_KEY, "secret": SECRET_KEY}
        for name, key in keys.items():
            (folder / name).write_text(f"{key}\n")
        super().__init__(
            folder,
            bundle,
            SCALP_BROKER_URL=self.rabbitmq.url,
            SCALP_STORAGE_URL=self.bucket.url,
            SCALP_SUBMITS_PER_MINUTE=str(LIMIT),
            **{f"SCALP_STORAGE_{name.upper()}_KEY_FILE": str(folder / name) for name in keys},
        )

    def up(self, patience: float = 240) -> OverRabbitMQ:
        self.migrate()
        self.collect_static_files()
        for part in ("web", "model", "upkeep", "schedule"):
            self.start(part)
        until(self.ready, patience, f"readiness (logs in {self.folder})")
        return self

    def down(self) -> None:
        super().down()
        self.rabbitmq.stop()
        self.bucket.stop()

    def waiting(self) -> list[str]:
        """Ids in the line, the first one first; RabbitMQ gets them all back."""
        with Connection(self.rabbitmq.url) as connection:
            channel = connection.channel()
            bodies = []
            try:
                while message := channel.basic_get("photos"):
                    bodies.append(message.body)
            except NotFound:
                return []
            channel.close()
        return [json.loads(body)[1]["analysis_id"] for body in bodies]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, small_bundle: Path) -> Iterator[OverRabbitMQ]:
    running = OverRabbitMQ(tmp_path_factory.mktemp("rabbitmq"), small_bundle)
    try:
        yield running.up()
    finally:
        running.down()


def submit_ten(service: Stack) -> list[str]:
    answers = [service.submit() for _ in range(TEN)]
    assert [answer.status_code for answer in answers] == [202] * TEN
    return [answer.json()["id"] for answer in answers]


def test_ten_go_all_the_way_and_their_photos_lie_in_the_bucket(service: OverRabbitMQ) -> None:
    ids = submit_ten(service)
    assert_each_succeeded_once(service, ids)
    assert {f"{analysis_id.replace('-', '')}.jpg" for analysis_id in ids} <= service.bucket.names()
    assert not (service.folder / "var" / "photos").exists()
    photo = requests.get(f"{service.url}/api/v1/analyses/{ids[0]}/photo/", timeout=10)
    assert (photo.status_code, photo.content[:2]) == (200, b"\xff\xd8")
    assert requests.delete(f"{service.url}/api/v1/analyses/{ids[0]}/", timeout=10).status_code == 204
    assert f"{ids[0].replace('-', '')}.jpg" not in service.bucket.names()
    assert requests.get(f"{service.url}/api/v1/analyses/{ids[0]}/photo/", timeout=10).status_code == 410


def test_ten_survive_a_worker_that_is_killed(service: OverRabbitMQ) -> None:
    service.freeze_model()
    ids = submit_ten(service)
    service.kill("model", signal.SIGCONT)
    until(lambda: service.status(ids[0])["status"] != "queued", 30, "the first claim")
    service.kill("model")
    assert [service.status(analysis_id)["status"] for analysis_id in ids].count("succeeded") < TEN
    service.start("model")
    assert_each_succeeded_once(service, ids)


def test_messages_outlive_a_server_that_is_killed(service: OverRabbitMQ) -> None:
    for part in ("model", "upkeep"):  # No worker takes messages, and none are resent.
        service.kill(part)
    ids = submit_ten(service)
    service.rabbitmq.signal(signal.SIGKILL)
    during = service.submit()
    assert during.status_code == 202
    service.rabbitmq.start()
    assert sorted(service.waiting()) == sorted(ids)
    for part in ("model", "upkeep"):
        service.start(part)
    assert_each_succeeded_once(service, [*ids, during.json()["id"]])
    until(service.ready, 60, "readiness")


def test_ten_survive_a_server_that_loses_all_that_it_had(service: OverRabbitMQ) -> None:
    service.kill("model")
    ids = submit_ten(service)
    service.rabbitmq.signal(signal.SIGKILL)
    service.rabbitmq.lose_all()
    service.rabbitmq.start()
    service.start("model")
    assert_each_succeeded_once(service, ids)


def test_nobody_s_upload_hangs_with_a_server_that_hangs(service: OverRabbitMQ) -> None:
    service.rabbitmq.signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        answers = [service.submit() for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202] * 3
        assert time.monotonic() - begun < 15
    finally:
        service.rabbitmq.signal(signal.SIGCONT)
    assert_each_succeeded_once(service, [answer.json()["id"] for answer in answers])


def test_the_limit_per_address_is_exact_with_counts_in_the_database(
    service: OverRabbitMQ,
) -> None:
    def send_nothing(_: int) -> int:
        return requests.post(f"{service.url}/api/v1/analyses/", files={"x": ("x", b"x")}, timeout=30).status_code

    time.sleep(60 - time.time() % 60)  # A minute in which nothing has been counted.
    with ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(send_nothing, range(LIMIT + 10)))
    assert set(answers) == {422, 429}
    assert answers.count(422) == LIMIT
