"""A server of its own that speaks S3: moto's, a process that answers over HTTP and keeps its buckets in memory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import boto3
import requests
from botocore.config import Config

from deploy.launcher.settings import LOOPBACK, free_port
from tests.support.environment import spawn, until

BUCKET = "scalps"
ACCESS_KEY, SECRET_KEY = "key-of-the-tests", "secret-of-the-tests"


class BucketServer:
    """Serves one bucket at `host`."""

    def __init__(self, folder: Path, host: str = LOOPBACK) -> None:
        port = free_port()
        self.log = folder / "bucket.log"
        self.endpoint = f"http://{host}:{port}"
        #: For `SCALP_STORAGE_URL`.
        self.url = f"s3://{BUCKET}/photos?endpoint_url={self.endpoint}&region_name=ap-northeast-2"
        command = [sys.executable, "-m", "moto.server", "--host", host, "--port", str(port)]
        self.process = spawn(command, self.log)
        until(self.answers, 60, f"the bucket's server (log in {folder})")
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="ap-northeast-2",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        )
        self.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.endpoint}/", timeout=5).ok
        except requests.RequestException:
            return False

    def names(self) -> set[str]:
        """The keys in the bucket."""
        listed = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
        return {found["Key"].removeprefix("photos/") for found in listed}

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
