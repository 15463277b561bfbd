"""POSTs with an Idempotency-Key, and what is told by their answers."""

from __future__ import annotations

from tests.service import made

KINDS = ["instance", "bucket", "user", "policy", "attachment", "access_key"]
# What every POST that stores something asks for, and whether it makes an object.
POSTS = {
    **{kind: (kind, "", True) for kind in KINDS},
    "suspend": ("instance", "/actions/suspend/invoke", False),
    "resume": ("instance", "/actions/resume/invoke", False),
    "rotate": ("access_key", "/actions/rotate/invoke", True),
}


def aged(db, **interval):
    """Let the stored answers be older by an interval, as `hours=24`."""
    unit, number = next(iter(interval.items()))
    db.execute(
        "UPDATE s3aas_idempotency SET created_at = created_at - %s::interval",
        (f"{number} {unit}",),
    )


def place(tree, post):
    """The path of one of `POSTS`."""
    kind, behind, _ = POSTS[post]
    return tree.path(kind) + behind if behind else tree.collection(kind)


def body_of(post):
    """A body that it takes."""
    return made.BODIES[post]() if post in KINDS else {}


def keyed(api, path, body, key="k-1", **more):
    """A POST with an Idempotency-Key."""
    headers = {"Idempotency-Key": key, **more.pop("headers", {})}
    return api.post(path, body, headers=headers, **more)


def told(answer):
    """All of an answer but its mark of a repeat."""
    headers = {k: v for k, v in answer.headers.items() if k != "idempotency-replayed"}
    return answer.status_code, answer.content, headers


def is_replay(answer):
    """Whether an answer is that of an earlier call."""
    found = answer.headers.get("Idempotency-Replayed")
    assert found in (None, "true")
    return found == "true"


def counted(db):
    """How many objects of each kind there are."""
    return {
        table: db.execute(f"SELECT count(*) AS n FROM s3aas_{table}").fetchone()["n"]
        for table in ("instances", "buckets", "users", "policies", "attachments",
                      "access_keys")
    }  # fmt: skip
