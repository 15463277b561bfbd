"""The address of an operator's own database; it holds a password, so it shows nowhere.

libpq quotes pieces of an address that it does not understand, and where a password has
a character that must be percent-encoded such a piece is a part of the password. So what
it could misread is refused here, in words that quote nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo

from exordos_paas_storage.domain import errors

_SCHEMES = ("postgresql://", "postgres://")
# A name, an address, or the folder of a socket; libpq takes several with commas.
_HOST = re.compile(r"[\w.:%-]+|/[\w./-]+|@[\w./-]+")
_ENCODE = (
    "write each character of user and password other than letters, digits, and . _ ~ -"
    " as % and two hexadecimal digits"
)
# What the address may set otherwise: a server that is cut off is noticed in half a
# minute, and its side lets go of ours as fast (see own_postgres).
_DEFAULTS = {
    "application_name": "exordos-storage",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
# What the server or the role may have otherwise, and our statements and psycopg (which
# reads no time in another style) rely on. A backslash keeps a blank in one option.
_SESSION = (
    "-c datestyle=ISO",
    "-c intervalstyle=postgres",
    "-c timezone=UTC",
    r"-c default_transaction_isolation=read\ committed",
)


@dataclass(frozen=True)
class Address:
    """Where the database is.

    Attributes:
        uri: as restalchemy and libpq take it; holds the password.
        place: the same for people: `storage at db.example:5432`.
    """

    uri: str = field(repr=False)
    place: str


def parse(text: str, source: str) -> Address:
    """Read an address such as `postgresql://user:password@host:5432/database`.

    Args:
        source: where the text comes from, for the error.

    Raises:
        SetupError: it is no such address; the message quotes nothing of it.
    """
    text = text.strip()
    if not text.startswith(_SCHEMES):
        raise errors.SetupError(
            f"{source} is no address of a PostgreSQL database: it begins with"
            " postgresql://"
        )
    try:
        found = {
            key: str(value)
            for key, value in conninfo.conninfo_to_dict(text).items()
            if value is not None
        }
    except psycopg.ProgrammingError:
        raise errors.SetupError(f"{source} can't be read: {_ENCODE}") from None
    database = found.pop("dbname", "")
    hosts = (found.get("host") or found.get("hostaddr") or "").split(",")
    ports = found.get("port", "").split(",")
    if not _is_plain(text, database, hosts, ports):
        raise errors.SetupError(f"{source} can't be read: {_ENCODE}")
    if not database:
        raise errors.SetupError(f"{source} names no database after its last /")
    if not any(hosts):
        raise errors.SetupError(f"{source} names no host")
    login = quote(found.pop("user", ""), safe="")
    if "password" in found:
        login += f":{quote(found.pop('password'), safe='')}"
    options = found.pop("options", "")
    found["client_encoding"] = "UTF8"
    found["options"] = " ".join(
        [*([options] if options else []), *(c for c in _SESSION if c not in options)]
    )
    query = urlencode(sorted({**_DEFAULTS, **found}.items()), quote_via=quote)
    return Address(
        uri=f"postgresql://{login + '@' if login else ''}/{quote(database, safe='')}"
        f"?{query}",
        place=f"{database} at {_where(hosts, ports)}",
    )


def _is_plain(text: str, database: str, hosts: list[str], ports: list[str]) -> bool:
    """Whether nothing of a password that is not encoded can have slipped elsewhere."""
    return (
        text.count("@", 0, (text + "?").index("?")) <= 1
        and not re.search(r"[\s#]", text)
        and not re.search(r"[@:/]", database)
        and all(_HOST.fullmatch(host) for host in hosts if host)
        and all(port.isdecimal() and 0 < int(port) < 65536 for port in ports if port)
    )


def _where(hosts: list[str], ports: list[str]) -> str:
    each = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
    return ",".join(
        host if host.startswith(("/", "@")) else f"{_bracketed(host)}:{port or 5432}"
        for host, port in zip(hosts, each, strict=True)
    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
