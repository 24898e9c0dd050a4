"""A backup is taken while the service works, all is wiped, and another service is made of it."""

from __future__ import annotations

import shutil
import signal
import threading
from pathlib import Path
from uuid import UUID

import pytest
import requests

from tests.support.stack import Stack

pytestmark = [pytest.mark.processes, pytest.mark.database]


def test_what_a_backup_holds_comes_back_and_what_was_erased_since_does_not(
    stack: Stack, tmp_path: Path, small_bundle: Path
) -> None:
    backup, log = tmp_path / "backup", tmp_path / "gathered.log"
    ended = [stack.submit().json()["id"] for _ in range(4)]
    reports = {key: stack.wait(key)["result"] for key in ended}
    shared = requests.post(f"{stack.url}/api/v1/analyses/{ended[1]}/share/", timeout=10).json()["url"]
    stack.freeze_model()
    try:
        unfinished = [stack.submit().json()["id"] for _ in range(3)]
        backup_while_photos_arrive(stack, backup)
        with pytest.raises(AssertionError, match="Workers are still running"):
            stack.manage("restore", str(backup))
        late = stack.submit().json()["id"]
        for gone in (ended[0], unfinished[0], late):
            assert requests.delete(f"{stack.url}/api/v1/analyses/{gone}/", timeout=10).status_code == 204
        after = stack.submit().json()["id"]
        photo = f"{UUID(unfinished[1]).hex}.jpg"
        shutil.copy(stack.folder / "var" / "photos" / photo, tmp_path)
    finally:
        stack.kill("model", signal.SIGCONT)
    shutil.copy(stack.log("web"), log)

    # Another machine, which has the backup, the logs and one photo that storage kept, and nothing else.
    second = Stack(tmp_path / "second", small_bundle)
    (second.folder / "var" / "photos").mkdir(parents=True)
    shutil.copy(tmp_path / photo, second.folder / "var" / "photos")
    assert "Erased again: 2." in second.manage("restore", str(backup), "--erased", str(log))
    try:
        second.up()
        # The maps go with the photos, which a backup does not hold.
        assert {key: second.status(key)["result"] | {"map_urls": {}} for key in ended[1:]} == {
            key: reports[key] | {"map_urls": {}} for key in ended[1:]
        }
        for gone in (ended[0], unfinished[0], late):
            assert requests.get(f"{second.url}/api/v1/analyses/{gone}/", timeout=10).status_code == 410
        assert second.wait(unfinished[1])["status"] == "succeeded"
        without_photo = second.wait(unfinished[2])
        assert (without_photo["status"], without_photo["failure"]["code"]) == ("failed", "photo_unreadable")
        # What came after the backup is not known, and a link that may have been taken back shows nothing.
        assert requests.get(f"{second.url}/api/v1/analyses/{after}/", timeout=10).status_code == 404
        assert requests.get(shared.replace(stack.url, second.url), timeout=10).status_code == 410
    finally:
        second.down()
    humans, successes, findings = second.rows(
        "[Human.objects.count(), Analysis.objects.filter(status='succeeded').count(), Finding.objects.count()]"
    )
    assert (humans, findings) == (successes, 6 * successes)

    # Once more over a database that is there: it knows itself what was erased since.
    second.manage("restore", str(backup))
    asked = [*ended, *unfinished, late]
    there = second.rows(f"[str(row.id) for row in Analysis.objects.filter(pk__in={asked})]")
    assert set(there) == {*ended[1:], *unfinished[1:]}


def backup_while_photos_arrive(stack: Stack, file: Path) -> None:
    over, answers = threading.Event(), []

    def send() -> None:
        while not over.is_set():
            answers.append(stack.submit().status_code)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        stack.manage("backup", str(file))
    finally:
        over.set()
        sender.join(30)
    assert answers
    assert set(answers) == {202}
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_no_backup_is_refused_and_the_database_stays_as_it_is(tmp_path: Path, small_bundle: Path) -> None:
    stack = Stack(tmp_path, small_bundle)
    stack.migrate()
    stack.shell.run("Human.objects.create(sex='남')")
    broken = tmp_path / "broken"
    stack.manage("backup", str(broken))
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    for file in (broken, tmp_path / "nowhere"):
        with pytest.raises(AssertionError, match=file.name):
            stack.manage("restore", str(file))
    assert stack.rows("Human.objects.count()") == 1
    with pytest.raises(AssertionError, match="already exists"):
        stack.manage("backup", str(broken))
