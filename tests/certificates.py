"""Certificates for a server, signed by an authority that only the tests know."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exordos_paas_storage.nodes import image


@dataclass(frozen=True)
class Issued:
    """A node's certificate, and in PEM what a client must trust."""

    certificate: image.Certificate
    authority: str


def issue(*addresses: str) -> Issued:
    """A certificate for the IP addresses, good from yesterday until tomorrow."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _builder("tests", "tests", authority_key)
    authority = authority.add_extension(x509.BasicConstraints(True, 0), critical=True)
    names = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    leaf = _builder("node", "tests", key).add_extension(
        x509.SubjectAlternativeName(names), critical=False
    )
    signed = [
        made.sign(authority_key, hashes.SHA256()).public_bytes(_PEM).decode()
        for made in (leaf, authority)
    ]
    secret = key.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Issued(image.Certificate("".join(signed), secret.decode()), signed[1])


_PEM = serialization.Encoding.PEM


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
