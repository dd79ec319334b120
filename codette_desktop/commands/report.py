"""`report`: what was measured in a period, as a file that needs nothing else to be read."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from codette_desktop.commands.common import common, opened
from codette_desktop.monitoring.report_data import Period, ReportData

YEARS = range(1970, 2200)  # outside of them moments cannot be reckoned with everywhere


class _Moment(click.DateTime):
    """A day of local time, or a moment of it. With `whole`, a day without an hour counts to its end."""

    def __init__(self, *, whole: bool = False) -> None:
        super().__init__(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
        self._whole = whole

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        found: datetime = super().convert(value, param, ctx)
        if found.year not in YEARS:
            self.fail(f"{value}: the year must be {YEARS[0]} to {YEARS[-1]}.", param, ctx)
        return found + timedelta(days=1) if self._whole and isinstance(value, str) and ":" not in value else found


@click.command()
@click.option(
    "--out",
    "path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it there: .html with charts, or .md.",
)
@click.option(
    "--period",
    type=click.Choice([Period.DAY.value, Period.WEEK.value]),
    default=Period.DAY.value,
    show_default=True,
    help="How long it looks back from its end.",
)
@click.option("--from", "start", type=_Moment(), help="From this day on (local time), instead of a period.")
@click.option(
    "--to",
    "end",
    type=_Moment(whole=True),
    help="Up to this day, it included, or to this moment (local time). Otherwise up to now.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def report(folder: Path, path: Path, period: str, start: datetime | None, end: datetime | None, as_json: bool) -> None:
    """Write a report: models, speed, ratings, health, incidents, trends, and what may be done better."""
    found = asyncio.run(_write(folder, path, Period(period), start, end))
    fields = report_fields(found, path)
    if as_json:
        click.echo(json.dumps(fields, ensure_ascii=False))
        return
    click.echo(
        f"{path}: {found.title}. Requests {fields['requests']:,} ({fields['failed']:,} failed), "
        f"models {len(found.models):,}, tokens {fields['tokens']:,}, incidents {len(found.incidents):,}, "
        f"recommendations {len(found.recommendations):,}."
    )


async def _write(folder: Path, path: Path, period: Period, start: datetime | None, end: datetime | None) -> ReportData:
    async with opened(folder) as application:
        first, last = start.astimezone() if start else None, end.astimezone() if end else None
        return await asyncio.to_thread(application.reports.write, path, period, first, last)


def report_fields(found: ReportData, path: Path) -> dict[str, Any]:
    """What was written and the main figures, for JSON; null is "not measured"."""
    return {
        "file": str(path),
        "title": found.title,
        "period": found.period.value,
        "from": found.start.isoformat(),
        "to": found.end.isoformat(),
        "requests": sum(model.requests for model in found.models),
        "failed": sum(model.errors for model in found.models),
        "tokens": sum(model.tokens for model in found.models),
        "health": found.health.score if found.health else None,
        "models": [
            {
                "model": model.model,
                "requests": model.requests,
                "failed": model.errors,
                "tokens": model.tokens,
                "tokens_per_second": model.tokens_per_second,
                "first_token_ms": model.first_token_ms,
                "first_token_p95_ms": model.first_token_p95_ms,
                "energy_j_per_token": model.energy_j_per_token,
            }
            for model in found.models
        ],
        "ratings": len(found.ratings),
        "incidents": len(found.incidents),
        "cache_lookups": found.cache.lookups,
        "cache_hits": found.cache.hits,
        "energy_j": found.energy.total_j,
        "recommendations": [{"text": item.text, "reason": item.reason} for item in found.recommendations],
    }
