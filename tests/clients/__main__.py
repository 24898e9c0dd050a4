"""Clients generated from the OpenAPI document, against the running service: `make clients`.

Their generators come from PyPI and npm with many packages, so `make test` leaves them out. A client in Python and one
in TypeScript are generated, type-checked, and take the same journey from the index to the erasure. They stay in
var/clients.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import requests

from ml.build.from_seeds import build_seeded_bundle
from tests.support.environment import ROOT, SCRATCH
from tests.support.stack import Stack, scalp_photo

HERE = Path(__file__).parent
CLIENTS = ROOT / "var" / "clients"
PYTHON_GENERATOR = "openapi-python-client==0.29.1"
NODE_PACKAGES = ("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3", "@types/node@20.19.25")
TYPESCRIPT = ("--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--outDir", "built")


def run_python_client(url: str, schema: Path, photo: Path) -> None:
    environment = CLIENTS / "venv"
    run([sys.executable, "-m", "venv", "--clear", environment])
    run([environment / "bin" / "python", "-m", "pip", "install", "-q", PYTHON_GENERATOR, "mypy"])
    generator = environment / "bin" / "openapi-python-client"
    # `--fail-on-warning` would stop at the photo: the generator skips bodies that are pictures.
    run([generator, "generate", "--path", schema, "--output-path", CLIENTS / "python", "--meta", "none"])
    (CLIENTS / "python").rename(CLIENTS / "generated_client")
    shutil.copy(HERE / "journey.py", CLIENTS)
    run([environment / "bin" / "mypy", "--config-file=", "--strict", "journey.py"])
    run([environment / "bin" / "python", "journey.py", url, photo])


def run_typescript_client(url: str, schema: Path, photo: Path) -> None:
    (CLIENTS / "package.json").write_text('{"type": "module", "private": true}')
    run(["npm", "install", "--no-audit", "--no-fund", "--silent", *NODE_PACKAGES])
    run(["npx", "openapi-typescript", schema, "--output", "schema.d.ts"])
    shutil.copy(HERE / "journey.ts", CLIENTS)
    run(["npx", "tsc", *TYPESCRIPT, "journey.ts"])
    run(["node", "built/journey.js", url, photo])


def run(command: list[str | Path]) -> None:
    """Raises CalledProcessError."""
    print("──", *command, flush=True)
    subprocess.run(command, cwd=CLIENTS, check=True)


def main() -> None:
    shutil.rmtree(CLIENTS, ignore_errors=True)
    CLIENTS.mkdir(parents=True)
    bundle = SCRATCH / "bundle"
    build_seeded_bundle(bundle, architecture="efficientnet-b0", image_size=64, seed=1)
    stack = Stack(SCRATCH / "stack", bundle)
    stack.folder.mkdir()
    schema, photo = CLIENTS / "api.json", CLIENTS / "scalp.jpg"
    photo.write_bytes(scalp_photo(1))
    try:
        stack.up()
        schema.write_bytes(requests.get(f"{stack.url}/api/schema/", {"format": "json"}, timeout=30).content)
        run_python_client(stack.url, schema, photo)
        run_typescript_client(stack.url, schema, photo)
    finally:
        stack.down()
    print("Both clients arrived.")


if __name__ == "__main__":
    main()
