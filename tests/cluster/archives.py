"""Container images of one static program each, as OCI archives (OCI image specification 1.1).

No container engine and no registry: an archive is a tar file of JSON and layers.
"""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from tests.cluster import programs

USER = "65532:65532"


def layer(files: dict[str, Path]) -> bytes:
    """Files at paths of the image, as one uncompressed layer owned by root."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, source in sorted(files.items()):
            for folder in reversed(Path(path).parents[:-1]):
                entry = tarfile.TarInfo(str(folder))
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            entry = tarfile.TarInfo(path)
            data = source.read_bytes()
            entry.size, entry.mode = len(data), source.stat().st_mode & 0o777
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def write(target: Path, name: str, layers: list[bytes], **config: object) -> None:
    """Write an archive that `ctr images import` reads; config is the image's: Entrypoint, Env, User, …"""
    with tarfile.open(target, "w") as tar:

        def add(path: str, data: bytes) -> None:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))

        def blob(media: str, data: bytes) -> dict[str, object]:
            digest = hashlib.sha256(data).hexdigest()
            add(f"blobs/sha256/{digest}", data)
            return {
                "mediaType": f"application/vnd.oci.image.{media}",
                "digest": f"sha256:{digest}",
                "size": len(data),
            }

        described = [blob("layer.v1.tar", data) for data in layers]
        settings = {
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [d["digest"] for d in described]},
        }
        manifest = blob(
            "manifest.v1+json",
            json.dumps(
                {
                    "schemaVersion": 2,
                    "config": blob("config.v1+json", json.dumps(settings).encode()),
                    "layers": described,
                }
            ).encode(),
        )
        manifest["annotations"] = {"io.containerd.image.name": name}
        add("index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode())
        add("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


def of_program(module: str, program: str, name: str, files: dict[str, Path] | None = None, **config: object) -> Path:
    """The archive of an image with one program in it and perhaps some files, kept beside the program."""
    source = programs.program(module, program)
    target = source.with_name(f"{program}.oci.tar")
    if not target.exists():
        partial = target.with_suffix(".partial")
        write(
            partial, name, [layer({program: source} | (files or {}))], Entrypoint=[f"/{program}"], User=USER, **config
        )
        partial.rename(target)
    return target
