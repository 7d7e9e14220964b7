"""Keys and kubeconfigs: one authority, one key pair for each component.

The subjects are those that Kubernetes' own roles are bound to (kubernetes.io, "PKI certificates and
requirements").
"""

import datetime as dt
import ipaddress
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NODE = "node"
# Component: organization (the group that it is in) and common name (its user).
SUBJECTS = {
    "admin": ("system:masters", "admin"),
    "kube-apiserver": (None, "kube-apiserver"),
    "kube-controller-manager": (None, "system:kube-controller-manager"),
    "kube-scheduler": (None, "system:kube-scheduler"),
    "kube-proxy": (None, "system:kube-proxy"),
    "kubelet": ("system:nodes", f"system:node:{NODE}"),
}
DNS_NAMES = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
]
LIFETIME = dt.timedelta(days=365)


def subject(organization: str | None, common_name: str) -> x509.Name:
    parts = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common_name)]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


class Authority:
    """A certificate authority that lives as long as its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = subject(None, "Nanoka's test cluster")
        if (folder / "ca.key").exists():
            key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            self.key = key
            return
        folder.mkdir(parents=True, exist_ok=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"), False)  # fmt: skip
        certificate = (
            self.builder(self.name, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.write("ca", certificate, self.key)

    def builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + LIFETIME)
        )

    def write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.folder.joinpath(f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        file = self.folder / f"{name}.key"
        file.touch(mode=0o600)
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def issue(self, name: str, addresses: list[str], hosts: list[str] | None = None) -> None:
        """Write NAME.crt and NAME.key, for a server at the addresses and host names, and for a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [*map(x509.DNSName, hosts or DNS_NAMES), *(x509.IPAddress(ipaddress.ip_address(a)) for a in addresses)]
        certificate = (
            self.builder(subject(*SUBJECTS.get(name, (None, name))), key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        self.write(name, certificate, key)

    def kubeconfig(self, name: str, server: str) -> Path:
        """The kubeconfig of one component (JSON is YAML)."""
        cluster = {"server": server, "certificate-authority": str(self.folder / "ca.crt")}
        user = {
            "client-certificate": str(self.folder / f"{name}.crt"),
            "client-key": str(self.folder / f"{name}.key"),
        }
        file = self.folder / f"{name}.kubeconfig"
        file.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "nanoka",
                    "clusters": [{"name": "nanoka", "cluster": cluster}],
                    "users": [{"name": "nanoka", "user": user}],
                    "contexts": [{"name": "nanoka", "context": {"cluster": "nanoka", "user": "nanoka"}}],
                }
            )
        )
        return file


def make(folder: Path, addresses: list[str]) -> Authority:
    """The key pairs of every component; servers' certificates name the addresses given."""
    authority = Authority(folder)
    for name in (*SUBJECTS, "service-account"):
        authority.issue(name, addresses)
    return authority
