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
from tests.bench import measure

FEWEST, MOST_RATIO, MOST_P99_S = 200, 4.0, 1.0


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
    """Time from POST of a bucket to its first object, beside the bare engine.

    An object counts once it is stored as the bucket was asked for, versioned and
    sealed: so is the first one of the bare engine's bucket.
    """
    with box.made(engine or engines.available()[0]) as made:
        made.up()
        bench = measure.Bench(made)
        bench.fill(fill)
        taken = list(bench.samples(samples))
        found = {
            "engine": bench.engine,
            "engine_version": bench.version,
            "samples": len(taken),
            "other_buckets": fill,
            "post_to_usable": summary(taken),
        }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=2) + "\n")
    show(found)
    click.echo(f"written to {output}")


def summary(samples: Sequence[measure.Sample]) -> dict[str, float]:
    """Medians and 99th percentiles, seconds, and what ours costs over the bare."""
    usable = [sample.usable_s for sample in samples]
    bare = [sample.bare_s for sample in samples]
    post = [sample.post_s for sample in samples]
    first_put = [sample.first_put_s for sample in samples]
    return {
        "p50_s": round(statistics.median(usable), 6),
        "p99_s": round(percentile(usable, 99), 6),
        "bare_p50_s": round(statistics.median(bare), 6),
        "bare_p99_s": round(percentile(bare, 99), 6),
        "post_p50_s": round(statistics.median(post), 6),
        "post_p99_s": round(percentile(post, 99), 6),
        "first_put_p50_s": round(statistics.median(first_put), 6),
        "first_put_p99_s": round(percentile(first_put, 99), 6),
        "ratio_p50": round(statistics.median(usable) / statistics.median(bare), 3),
    }


def percentile(values: Sequence[float], rank: int) -> float:
    """The value that `rank` percent of the values do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[rank - 1]


def show(found: dict[str, Any]) -> None:
    """Print the table; aims that are missed stand out."""
    seen = found["post_to_usable"]
    table = rich.table.Table(
        title=f"POST of a bucket to its first object: {found['engine']},"
        f" {found['samples']} samples, ms"
    )
    for title in ("", "p50", "p99"):
        table.add_column(title, justify="right" if title else "left")
    for title, name in (("through the API", ""), ("bare engine", "bare_")):
        table.add_row(title, _ms(seen[f"{name}p50_s"]), _ms(seen[f"{name}p99_s"]))
    for title, name in (("  POST alone", "post"), ("  any put accepted", "first_put")):
        table.add_row(title, _ms(seen[f"{name}_p50_s"]), _ms(seen[f"{name}_p99_s"]))
    console = rich.console.Console()
    console.print(table)
    met = seen["ratio_p50"] <= MOST_RATIO and seen["p99_s"] <= MOST_P99_S
    console.print(
        f"p50 is {seen['ratio_p50']:.2f} times the bare engine's (aim: {MOST_RATIO:g}),"
        f" p99 {seen['p99_s']:.3f} s (aim: {MOST_P99_S:g}):",
        "met" if met else "MISSED",
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


if __name__ == "__main__":
    main()
