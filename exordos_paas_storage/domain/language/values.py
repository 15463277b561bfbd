"""The values of conditions, read: numbers, instants, addresses, truths, bytes.

Each function takes a text and answers None if it is not of that kind; the same
functions read what a document says and what a request carries.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
from decimal import Decimal

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_EPOCH = re.compile(r"[0-9]{1,12}")
_DAY = r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
_PART = r"(:(?P<second>[0-9]{2})(\.(?P<part>[0-9]{1,9}))?)?"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})" + _PART
_ZONE = r"(Z|(?P<sign>[+-])(?P<ahead_h>[0-9]{2}):(?P<ahead_m>[0-9]{2}))"
_DATE = re.compile(f"{_DAY}(T{_TIME}{_ZONE})?")
_CIDR = re.compile(r"[0-9a-fA-F.:]{2,45}(/[0-9]{1,3})?")
_SECOND_NS = 1_000_000_000
# The bits before an address of IPv4 in one of IPv6.
_MAPPED = 96


def number(text: str) -> Decimal | None:
    """A decimal number: up to 18 digits, and up to 9 more after a point."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def instant_ns(text: str) -> int | None:
    """A moment as nanoseconds since 1970 in UTC.

    Args:
        text: seconds since 1970, a day, or a day with a time and its zone, in the
            forms of W3C's profile of ISO 8601 that name at least a day.
    """
    if _EPOCH.fullmatch(text):
        return int(text) * _SECOND_NS
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    try:
        day = datetime.date.fromisoformat(found["day"])
        clock = _clock(found["hour"], found["minute"], found["second"])
        ahead = _clock(found["ahead_h"], found["ahead_m"])
    except ValueError:
        return None
    ahead_s = _seconds(ahead) * (-1 if found["sign"] == "-" else 1)
    days = day.toordinal() - datetime.date(1970, 1, 1).toordinal()
    whole_s = days * 86_400 + _seconds(clock) - ahead_s
    return whole_s * _SECOND_NS + int((found["part"] or "").ljust(9, "0"))


def _clock(hour: str, minute: str, second: str | None = None) -> datetime.time:
    return datetime.time(int(hour or 0), int(minute or 0), int(second or 0))


def _seconds(clock: datetime.time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def network(text: str) -> Network | None:
    """An address or a range of addresses in CIDR form, IPv4 or IPv6.

    IPv4 inside IPv6 (`::ffff:192.0.2.0/120`) counts as IPv4: a server that listens on
    both may see a client so, and MinIO reads such ranges so.
    """
    if not _CIDR.fullmatch(text):
        return None
    try:
        found = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    mapped = getattr(found.network_address, "ipv4_mapped", None)
    if mapped is None or found.prefixlen < _MAPPED:
        return found
    return ipaddress.ip_network((mapped, found.prefixlen - _MAPPED))


def address(text: str) -> Network | None:
    """One address, as the range that holds only it."""
    found = network(text)
    return found if found is not None and found.num_addresses == 1 else None


def boolean(text: str) -> bool | None:
    """`true` or `false`."""
    return {"true": True, "false": False}.get(text)


def binary(text: str) -> bytes | None:
    """Bytes in base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
