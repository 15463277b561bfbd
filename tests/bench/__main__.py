"""`python -m tests.bench`: a service of its own, measured against its bare engine."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import rich.console
import rich.table

from exordos_paas_storage.domain import capabilities
from tests import box, engines
from tests.bench import measure, rights

FEWEST, MOST_RATIO, MOST_P99_S = 200, 4.0, 1.0

# Name in the file -> title, and the rows of its table by the start of their fields.
_OURS = (("through the API", ""), ("bare engine", "bare_"))
_CALLS = (("  API's call alone", "call_"), ("  engine's call alone", "bare_call_"))
TABLES = {
    "post_to_usable": (
        "POST of a bucket to its first object",
        (*_OURS, ("  POST alone", "post_"), ("  any put accepted", "first_put_")),
    ),
    "key_to_usable": ("POST of a key to its first signed GET", (*_OURS, *_CALLS)),
    "policy_edit_to_effect": (
        "PATCH of a policy to the first request decided by it",
        (*_OURS, *_CALLS),
    ),
}


@click.command()
@click.option(
    "--engine", type=click.Choice(capabilities.ENGINES), help="Default: MinIO."
)
@click.option("--samples", type=click.IntRange(2), default=FEWEST, show_default=True)
@click.option(
    "--fill",
    type=click.IntRange(0),
    default=0,
    help="Buckets that the instance has besides.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("build/bench.json"),
    show_default=True,
)
def main(engine: str | None, samples: int, fill: int, output: Path) -> None:
    """Time from a call to what it is for, beside the bare engine.

    A bucket counts once an object is stored as the bucket was asked for, versioned and
    sealed; a key once a request signed with it is served; a change of a policy once a
    request is decided by it. So does what root tells the bare engine itself.
    """
    with box.made(engine or engines.available()[0]) as made:
        made.up()
        bench = measure.Bench(made)
        bench.fill(fill)
        found = {
            "engine": bench.engine,
            "engine_version": bench.version,
            "samples": samples,
            "other_buckets": fill,
            "post_to_usable": of_buckets(list(bench.samples(samples))),
            "key_to_usable": of_rights(list(bench.rights.keys(samples))),
            "policy_edit_to_effect": of_rights(list(bench.rights.edits(samples))),
        }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=2) + "\n")
    show(found)
    click.echo(f"written to {output}")


def of_buckets(samples: Sequence[measure.Sample]) -> dict[str, float]:
    """Medians and 99th percentiles, seconds, and what ours costs over the bare."""
    return summary(
        [sample.usable_s for sample in samples],
        [sample.bare_s for sample in samples],
        post=[sample.post_s for sample in samples],
        first_put=[sample.first_put_s for sample in samples],
    )


def of_rights(samples: Sequence[rights.Sample]) -> dict[str, float]:
    """The same of keys and of changed policies."""
    return summary(
        [sample.ours_s for sample in samples],
        [sample.bare_s for sample in samples],
        call=[sample.call_s for sample in samples],
        bare_call=[sample.bare_call_s for sample in samples],
    )


def summary(
    ours: Sequence[float], bare: Sequence[float], **parts: Sequence[float]
) -> dict[str, float]:
    """Medians and 99th percentiles of each, and the ratio of the first two's medians.

    Args:
        ours: seconds through the API.
        bare: seconds with the bare engine.
        parts: what else was measured, by the start of its fields.
    """
    found = {}
    for name, values in {"": ours, "bare_": bare}.items():
        found |= _two(name, values)
    for name, values in parts.items():
        found |= _two(f"{name}_", values)
    ratio = statistics.median(ours) / statistics.median(bare)
    return {**found, "ratio_p50": round(ratio, 3)}


def _two(name: str, values: Sequence[float]) -> dict[str, float]:
    return {
        f"{name}p50_s": round(statistics.median(values), 6),
        f"{name}p99_s": round(percentile(values, 99), 6),
    }


def percentile(values: Sequence[float], rank: int) -> float:
    """The value that `rank` percent of the values do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[rank - 1]


def show(found: dict[str, Any]) -> None:
    """Print the tables; aims that are missed stand out."""
    console = rich.console.Console()
    for name, (title, rows) in TABLES.items():
        seen = found[name]
        table = rich.table.Table(
            title=f"{title}: {found['engine']}, {found['samples']} samples, ms"
        )
        for heading in ("", "p50", "p99"):
            table.add_column(heading, justify="right" if heading else "left")
        for row, start in rows:
            table.add_row(row, _ms(seen[f"{start}p50_s"]), _ms(seen[f"{start}p99_s"]))
        console.print(table)
        _show_aims(console, name, seen)


def _show_aims(console: rich.console.Console, name: str, seen: dict[str, Any]) -> None:
    # How much a key or a policy may cost over the bare engine is nobody's promise; that
    # it is in force within a second is.
    has_ratio = name == "post_to_usable"
    met = seen["p99_s"] <= MOST_P99_S
    met = met and (not has_ratio or seen["ratio_p50"] <= MOST_RATIO)
    aim = f" (aim: {MOST_RATIO:g})" if has_ratio else ""
    console.print(
        f"p50 is {seen['ratio_p50']:.2f} times the bare engine's{aim},"
        f" p99 {seen['p99_s']:.3f} s (aim: {MOST_P99_S:g}):",
        "met" if met else "MISSED",
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


if __name__ == "__main__":
    main()
