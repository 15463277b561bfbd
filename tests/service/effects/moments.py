"""Moments as the API takes and shows them: whole seconds in UTC."""

import datetime

UTC = datetime.timezone.utc
A_SECOND = datetime.timedelta(seconds=1)


def now():
    return datetime.datetime.now(UTC)


def ahead(seconds):
    """The whole second that lies at least so far ahead, as a time and as text."""
    at = (now() + datetime.timedelta(seconds=seconds)).replace(microsecond=0) + A_SECOND
    return at, f"{at:%Y-%m-%dT%H:%M:%SZ}"


def read(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
