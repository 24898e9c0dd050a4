"""`python -m tests.environments.probe URL`: sends a photo, waits for its result, and prints the status that it got.

A program of its own, so that it can run inside the network namespace of the service.
"""

from __future__ import annotations

import io
import sys
import time

import requests

from ml.data.synthetic import scalp_picture

SECONDS = 120


def send_and_wait(url: str) -> str:
    """The final status of one synthetic photo. Raises requests.HTTPError or TimeoutError."""
    file = io.BytesIO()
    scalp_picture(1).save(file, "JPEG")
    with requests.Session() as client:
        client.trust_env = False  # No proxy of the environment is asked for a service on this machine.
        answers = {"sex": "female", "age": "30s", "consent": "true"}
        submitted = client.post(
            f"{url}/api/v1/analyses/", data=answers, files={"photo": ("a.jpg", file.getvalue())}, timeout=20
        )
        submitted.raise_for_status()
        address = f"{url}/api/v1/analyses/{submitted.json()['id']}/"
        ends_at = time.monotonic() + SECONDS
        while time.monotonic() < ends_at:
            status = client.get(address, headers={"Prefer": "wait=5"}, timeout=20).json()["status"]
            if status not in {"queued", "running"}:
                return str(status)
    raise TimeoutError(f"The photo had no result after {SECONDS} s.")


if __name__ == "__main__":
    print(send_and_wait(sys.argv[1]))
