"""The API guide's command blocks, pasted into a shell in their order."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests import box, tenants
from tests.tenants import DONE, NO

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "api.md"
INSTANCE = "s3-data"


def commands(facts):
    """All blocks, with what a reader of the guide fills in."""
    text = "".join(re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL))
    for shown, real in {
        "API=http://127.0.0.1:8080": f"API={facts['api_url']}",
        "PROJECT=…": f"PROJECT={facts['project_id']}",
        "PASSWORD_FILE": facts["password_file"],
    }.items():
        assert text.count(shown) == 1
        text = text.replace(shown, real)
    return text


@pytest.fixture(scope="module")
def answers(service):
    """What the calls answered; the instance that they made goes at the end."""
    shell = subprocess.run(
        ["bash", "-eu", "-o", "pipefail"],
        input=commands(service.facts()),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert shell.stderr == ""
    yield [json.loads(line) for line in shell.stdout.splitlines() if line]
    client = service.client()
    client.update(f"/instances/{INSTANCE}", {"deletion_protection": False})
    box.removed(client, f"/instances/{INSTANCE}")


def test_no_call_of_the_guide_is_refused(answers):
    refused = [one for one in answers if isinstance(one, dict) and "code" in one]

    assert refused == []
    assert len(answers) > 20


def test_the_keys_of_the_guide_sign_what_it_says(service, answers):
    client, path = service.client(), f"/instances/{INSTANCE}"
    place = tenants.Place(client, INSTANCE)
    user = f"{path}/users/alice"
    made = {
        one["access_key"]: one
        for one in answers
        if isinstance(one, dict) and "secret_key" in one
    }
    there = {one["access_key"] for one in client.get(f"{user}/access-keys")}
    assert len(made) == 4 and made.keys() - there <= {"ALICESKEY1"}
    place.wait(user)
    writer = place.key(place.user())
    assert writer.puts("public/x") == DONE

    for shown in made.values():
        key = tenants.Key(place, user, shown)
        if shown["access_key"] == "ALICESKEY1":
            box.wait_until(lambda key=key: client.find(key.path) is None)
            assert key.gets("public/x") == NO
            continue
        place.wait(key.path)
        assert (key.gets("public/x"), key.gets("x")) == (DONE, NO)
        assert key.puts("public/x") == NO
