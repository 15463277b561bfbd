"""The stand's own network: no answer may go with a machine."""

import json
import socket
import subprocess
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.stand

# Lower than any that the kernel draws; a bridge takes it if it has none of its own.
LOWEST = "02:00:00:00:00:00"


def ip(*words):
    command = ["ip", "-json", *words]
    said = subprocess.run(command, capture_output=True, check=True).stdout
    return json.loads(said or "[]")


def address_of(link):
    return ip("link", "show", link)[0]["address"]


def test_the_bridge_keeps_its_address_when_a_machine_comes_and_goes(given):
    service = socket.gethostbyname(urlsplit(given.service).hostname)
    (way,) = ip("route", "get", service)
    bridge = way["dev"]
    before = address_of(bridge)

    pair = ("type", "veth", "peer", "name", "lowest-peer")
    ip("link", "add", "lowest", "address", LOWEST, *pair)
    try:
        ip("link", "set", "lowest", "master", bridge, "up")
        among = address_of(bridge)
    finally:
        ip("link", "delete", "lowest")

    assert [among, address_of(bridge)] == [before, before]
