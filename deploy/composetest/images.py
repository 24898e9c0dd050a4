"""The images of a test: base images, pulled or built from Debian packages if no registry answers; then our own."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
from pathlib import Path

from deploy.composetest.commands import StepError, output
from deploy.composetest.engine import Engine
from deploy.launcher.uv import pip_settings

ROOT = Path(__file__).resolve().parent.parent.parent
STANDINS = Path(__file__).resolve().parent / "standins"

#: The base images named in the container files and docker-compose.yml, each with its stand-in.
BASES = {
    "python:3.11-slim-bookworm": "python",
    "nginx:1.28-bookworm": "nginx",
    "redis:7.2-bookworm": "redis",
    "postgres:15-bookworm": "postgres",
}
DEBIAN = "scalpspectra-debian"

WEB = ROOT / "deploy/containers/web.Containerfile"
WORKER = ROOT / "deploy/containers/worker.Containerfile"


def prepare_bases(engine: Engine) -> None:
    """Raises StepError if an image cannot be pulled into an existing engine: stand-ins only go into a private one."""
    for name, standin in BASES.items():
        if engine.has_image(name) or engine.pull(name):
            continue
        if not engine.private:
            raise StepError(f"{name} cannot be pulled. Stop the running engine to use a private one with stand-ins.")
        if not engine.has_image(DEBIAN):
            _import_debian(engine)
        engine.build(name, STANDINS / f"{standin}.Containerfile", _context(engine.folder / "standins"))


def build_images(engine: Engine) -> None:
    engine.build("scalpspectra-web", WEB, ROOT, "--target", "web")
    engine.build("scalpspectra-proxy", WEB, ROOT, "--target", "proxy")
    engine.build("scalpspectra-worker", WORKER, ROOT)


def _import_debian(engine: Engine) -> None:
    """Imports a minimal Debian 12 from the host's mirror, with the host's certificate authorities."""
    print("No registry answers: building stand-ins from Debian packages …", flush=True)
    root = engine.folder / "debian"
    mirrors = output(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm"]).split()
    output(["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(root), *mirrors[:1]])
    authorities = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    shutil.copyfile(authorities, root / "etc/ssl/certs/ca-certificates.crt")
    path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with subprocess.Popen(["tar", "--create", "--directory", str(root), "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(
            ["docker", "import", "--change", path, "-", DEBIAN],
            stdin=tar.stdout,
            stdout=subprocess.DEVNULL,
            env=engine.environment,
            check=True,
        )
    shutil.rmtree(root)


def _context(folder: Path) -> Path:
    """The build context of the stand-ins: the committed files, and a pip.conf with the host's index."""
    if not folder.exists():
        shutil.copytree(STANDINS, folder)
        (folder / "pip.conf").write_text(_pip_configuration())
    return folder


def _pip_configuration() -> str:
    """The host's index and proxy for pip, without paths, which do not exist in a container."""
    lines = ["[global]", "cert = /etc/ssl/certs/ca-certificates.crt"]
    for key, value in pip_settings(Path(sys.executable)).items():
        if key in {"index-url", "extra-index-url", "trusted-host", "proxy", "timeout"}:
            remote = [part for part in value.split() if not part.startswith(("/", "file:"))]
            if remote:
                lines.append(f"{key} = {' '.join(remote)}")
    return "\n".join(lines) + "\n"
