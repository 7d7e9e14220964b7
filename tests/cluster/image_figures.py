"""`python -m tests.cluster.image_figures`: the images' sizes, and cold starts out of them, as a Markdown table.

A function, or NGINX, is started from its image's own files, as its own user and with its own environment, but on this
machine's network and without the limits of a pod: what is measured is the image. Needs Linux, root and buildah.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.stand import Stand
from tests.cluster import images
from tests.stack import ports
from tests.stack.process import Program

MEGABYTE = 1e6
READY = {
    "login": "/api/auth/me",
    "send-message": "/api/messages/ready",
    "list-history": "/api/conversations",
    "purge": "/",
    "web": "/healthz",
}
"""What each is asked first. purge refuses to answer without a token, which is an answer, too."""


def layers(archive: tarfile.TarFile) -> list[dict[str, Any]]:
    """What an OCI archive's manifest says of its layers, the lowest first."""

    def blob(name: str) -> dict[str, list[dict[str, Any]]]:
        file = archive.extractfile(name)
        assert file is not None
        content: dict[str, list[dict[str, Any]]] = json.load(file)
        return content

    return blob(blob_name(blob("index.json")["manifests"][0]["digest"]))["layers"]


def blob_name(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def sizes(archive: Path) -> tuple[float, float]:
    """Megabytes to be pulled, and those of them that are not the base's: the first layer is Debian, shared by all."""
    with tarfile.open(archive) as tar:
        found = [layer["size"] / MEGABYTE for layer in layers(tar)]
    return sum(found), sum(found[1:])


@contextlib.contextmanager
def files(archive: Path) -> Iterator[Path]:
    """An image's file system, in a copy that may be changed."""
    with tempfile.TemporaryDirectory(prefix="nanoka-image-") as folder, tarfile.open(archive) as tar:
        Path(folder).chmod(0o755)
        for layer in layers(tar):
            file = tar.extractfile(blob_name(layer["digest"]))
            assert file is not None
            with tarfile.open(fileobj=file) as content:
                content.extractall(folder, filter="fully_trusted")  # noqa: S202 - we built it
        yield Path(folder)


def function(root: Path, name: str, port: int, stand: Stand) -> tuple[list[str], dict[str, str]]:
    """A function's command and environment, as its image and Knative give them."""
    target = name.replace("-", "_")
    environment = stand.environment | {
        "PYTHONPATH": "/app/functions",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "FUNCTION_TARGET": target,
        "FUNCTION_SOURCE": f"/app/functions/{target}/main.py",
        "PORT": str(port),
        "THREADS": "80",
    }
    return ["chroot", "--userspec=65532:65532", str(root), "/usr/bin/python3", "-m", "nanoka.server"], environment


def web(root: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """NGINX's, as its image and the Deployment give them; its certificate is read when somebody asks for it."""
    run = root / "run" / "nginx"
    run.mkdir(parents=True, exist_ok=True)
    os.chown(run, 101, 101)
    hosts = {f"{name}_HOST": "function.example" for name in ("LOGIN", "SEND_MESSAGE", "LIST_HISTORY")}
    environment = hosts | {
        "DOMAIN": "localhost",
        "GATEWAY": "127.0.0.1:9",
        "HTTP_PORT": str(port),
        "HTTPS_PORT": str(ports.free_port()),
        "NGINX_ACCESS_LOG": "/run/nginx/access.log",
    }
    return ["chroot", "--userspec=101:101", str(root), "/bin/sh", "/srv/nginx/start.sh"], environment


def cold_start(root: Path, name: str, stand: Stand) -> float:
    """Milliseconds from the start of the image's command to the first answer."""
    port = ports.free_port()
    command, environment = web(root, port) if name == "web" else function(root, name, port, stand)
    request = urllib.request.Request(f"http://127.0.0.1:{port}{READY[name]}", headers={"Cookie": stand.cookie})
    started = time.perf_counter()
    program = Program(name, command, log=stand.folder / f"{name}.log", env={"PATH": os.environ["PATH"]} | environment)
    try:
        while program.returncode is None:
            try:
                urllib.request.urlopen(request, timeout=60).close()
            except urllib.error.HTTPError as answer:
                answer.close()
            except OSError:
                time.sleep(0.002)
                continue
            return (time.perf_counter() - started) * 1000
        raise RuntimeError(program.story())
    finally:
        program.end()


def without_byte_code(root: Path) -> None:
    """Take away what the build compiled; Debian's own library keeps its own."""
    for folder in ("app", "usr/local/lib/python3.11/dist-packages"):
        for compiled in list((root / folder).rglob("__pycache__")):
            shutil.rmtree(compiled)


def main() -> None:
    parser = argparse.ArgumentParser(description="Sizes of the images, and cold starts out of them.")
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    built = dict(zip((*images.FUNCTIONS, "web"), images.build_all(), strict=True))
    print("| image | pulled | of it not the base | first answer | without byte code |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, Stand(Path(folder), front=False) as stand:
        for name, archive in built.items():
            whole, own = sizes(archive)
            taken: list[list[float]] = []
            with files(archive) as root:
                cold_start(root, name, stand)  # the files come into memory
                taken.append([cold_start(root, name, stand) for _ in range(repeats)])
                if name in images.FUNCTIONS:
                    without_byte_code(root)
                    taken.append([cold_start(root, name, stand) for _ in range(repeats)])
            starts = [f"{min(times):.0f} / {statistics.median(times):.0f} ms" for times in taken] + [""]
            print(f"| {name} | {whole:.1f} MB | {own:.1f} MB | {starts[0]} | {starts[1]} |", flush=True)


if __name__ == "__main__":
    main()
