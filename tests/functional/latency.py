"""`python -m tests.functional.latency`: from POST to usable, on a live platform.

Each round makes a bucket by the API with a token of Core's and waits for it in one of
two ways: until boto3 with a tenant's key stores a versioned object, or until the API
shows ACTIVE. Buckets that the instance has besides are made by the API, too.
"""

from __future__ import annotations

import concurrent.futures
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import rich.console
import rich.table
from botocore.exceptions import ClientError

from exordos_paas_storage.domain import access
from tests import tenants
from tests.functional import environment, platform, statements
from tests.service import made

INSTANCE_S, FILL_S, ROUND_S = 300.0, 1800.0, 60.0
AIM_P50_S = 1.0
CHANGES = 20
MAKERS = 8


class Bench:
    """One instance on a live platform, and its owner."""

    def __init__(self, live: platform.Platform) -> None:
        account = live.tenant(live.project("latency"))
        self._api, name = live.api(account), made.unique("latency")
        self._api.make("/instances", name=name, bucket_name="data", versioning=True)
        shown = self._api.wait(f"/instances/{name}", deadline_s=INSTANCE_S)
        self.engine = f"{shown['engine']} {shown['engine_version']}"
        self._at = f"/instances/{name}/buckets"
        place = tenants.Place(live.client(account), name)
        self._s3 = place.key(place.user()).s3
        self._filled = 0

    def fill(self, buckets: int) -> float:
        """Have so many buckets besides, all ACTIVE; the seconds it took."""
        start, names = time.monotonic(), range(self._filled, buckets)
        with concurrent.futures.ThreadPoolExecutor(MAKERS) as makers:
            list(makers.map(lambda n: self._made(f"fill-{n:06}"), names))
        self._filled = max(self._filled, buckets)
        waiting = f"{self._at}?page_limit=1&status=PENDING&status=ERROR"
        made.until(lambda: self._api.show(waiting) == [], FILL_S, "all are ACTIVE")
        return time.monotonic() - start

    def rounds(self, count: int) -> dict[str, list[float]]:
        """Seconds from the start of a POST to its end, to usable and to ACTIVE."""
        seen: dict[str, list[float]] = {"post": [], "usable": [], "active": []}
        for number in range(2 * count):
            ends, wait = [("usable", self._stored), ("active", self._active)][
                number % 2
            ]
            name, start = made.unique("round"), time.perf_counter()
            self._made(name)
            seen["post"].append(time.perf_counter() - start)
            self._until(wait, name, start)
            seen[ends].append(time.perf_counter() - start)
        return seen

    def changes(self) -> int:
        """Make some buckets, each usable before the next; how many.

        The engine is asked whether they are, and not the API: its own statements would
        count among those of the change.
        """
        for _ in range(CHANGES):
            name = made.unique("change")
            self._made(name)
            self._until(self._stored, name, time.perf_counter())
        return CHANGES

    def _made(self, name: str) -> None:
        self._api.make(self._at, name=name)

    def _active(self, name: str) -> bool:
        return bool(self._api.show(f"{self._at}/{name}")["status"] == "ACTIVE")

    def _stored(self, name: str) -> bool:
        try:
            answer = self._s3.put_object(Bucket=name, Key="first", Body=b"1")
        except ClientError:
            return False
        return bool(answer.get("VersionId"))

    @staticmethod
    def _until(wait: Callable[[str], bool], name: str, start: float) -> None:
        while not wait(name):
            assert time.perf_counter() - start < ROUND_S, f"{name} is not usable"
            time.sleep(0.005)


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, seconds."""
    ranks = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50_s": round(ranks[49], 4), "p95_s": round(ranks[94], 4)}


@click.command()
@click.option("--samples", type=click.IntRange(2), default=50, show_default=True)
@click.option(
    "--fill",
    "fills",
    type=click.IntRange(0),
    multiple=True,
    default=(10, 5000),
    show_default=True,
    help="Buckets that the instance has besides; repeat it, rising.",
)
@click.option(
    "--label",
    default="direct",
    show_default=True,
    help="How tokens are looked up, such as `cached`; the file keeps other labels.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("build/functional-latency.json"),
    show_default=True,
)
def main(samples: int, fills: Sequence[int], label: str, output: Path) -> None:
    """Measure a live platform, named by the variables of the functional tests.

    SQL statements are counted where EXORDOS_DB_URL names MetaPaaS's database, and are
    `null` else.
    """
    given = environment.read()
    counter = statements.Counter(given.database) if given.database else None
    found: dict[str, Any] = {"samples": samples, "at": {}}
    with platform.Platform(given) as live:
        bench = Bench(live)
        found["engine"] = bench.engine
        found["permissions_of_an_owner"] = len(access.permissions(access.OWNER))
        for fill in sorted(fills):
            took = bench.fill(fill)
            seen = {name: summary(all_) for name, all_ in bench.rounds(samples).items()}
            cost = counter.cost(bench.changes) if counter else None
            found["at"][str(fill)] = {
                **seen,
                "fill_s": round(took, 1),
                "sql_of_ours_per_change": cost and cost.ours,
                "sql_of_all_per_change": cost and cost.all,
            }
    known = json.loads(output.read_text()) if output.exists() else {}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({**known, label: found}, indent=2) + "\n")
    show({**known, label: found})
    click.echo(f"written to {output}")


def show(found: dict[str, Any]) -> None:
    """Print a table; an aim that is missed stands out."""
    console = rich.console.Console()
    table = rich.table.Table(title="POST of a bucket through the whole platform, ms")
    for heading in (
        "tokens", "buckets besides", "POST p50", "usable p50", "p95", "ACTIVE p50",
        "p95", "SQL of ours", "SQL of all",
    ):  # fmt: skip
        table.add_column(heading, justify="right")
    missed = []
    for label, of_label in found.items():
        for fill, seen in of_label["at"].items():
            table.add_row(label, fill, *_row(seen))
            if seen["usable"]["p50_s"] > AIM_P50_S:
                missed.append(f"{label} with {fill}")
    console.print(table)
    told = f"MISSED at {missed}" if missed else "met"
    console.print(f"usable p50 under {AIM_P50_S:g} s:", told)


def _row(seen: dict[str, Any]) -> list[str]:
    times = [
        seen[name][rank]
        for name, rank in (
            ("post", "p50_s"), ("usable", "p50_s"), ("usable", "p95_s"),
            ("active", "p50_s"), ("active", "p95_s"),
        )
    ]  # fmt: skip
    counts = [seen["sql_of_ours_per_change"], seen["sql_of_all_per_change"]]
    return [
        *(f"{seconds * 1000:.0f}" for seconds in times),
        *("not counted" if count is None else f"{count:g}" for count in counts),
    ]


if __name__ == "__main__":
    main()
