"""`taxi live`: compare what the service was asked in the last hours with what is usual."""

from typing import Any

import click


@click.command()
@click.option("--hours", type=click.IntRange(min=1), help="Hours of the window, which ends now.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the samples.")
def live(**given: Any) -> None:
    """Compare what the service was asked in the last hours with what is usual."""
    from taxi_duration.cli.pipeline import variables_of
    from taxi_duration.pipeline.mage import run_pipeline
    from taxi_duration.pipeline.mage_api import LIVE_PIPELINE
    from taxi_duration.settings import load_settings

    result = run_pipeline(load_settings(), variables_of(given), click.echo, LIVE_PIPELINE)
    click.echo(f"{result['seconds']:.0f} s: {summary(result)}")


def summary(result: dict[str, Any]) -> str:
    """Such as `240 predictions; drift in 1 of 3 columns (prediction); unseen pairs 0.4%; …`."""
    figures = result["figures"]
    if not figures["predictions"]:
        return "nothing was asked"
    told = [f"{figures['predictions']:,} predictions", _drift(figures["drift"])]
    if "unseen_pairs_share" in figures:
        told.append(f"unseen pairs {figures['unseen_pairs_share']:.1%}")
    told.append(f"missing areas {figures['missing_areas_share']:.1%}")
    told.append(f"half of the requests answered within {figures['p50_ms']:.1f} ms")
    page = result["exported"]["url"] or result["exported"]["html"]
    return "; ".join(told) + (f"\n{page}" if page else "")


def _drift(columns: list[dict[str, Any]]) -> str:
    if not columns:
        return "too few to compare, or nothing to compare them with"
    drifted = [column["column_name"] for column in columns if column["drifted"]]
    names = f" ({', '.join(drifted)})" if drifted else ""
    return f"drift in {len(drifted)} of {len(columns)} columns{names}"
