"""`metrics`: what is measured, for a Prometheus server, with rules for its alerts and dashboards for Grafana."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import click

from codette_desktop.commands.common import common, opened
from codette_desktop.domain.alerts import Rule
from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.hardware.sensors.once import sample_once
from codette_desktop.monitoring.dashboards import dashboard_files
from codette_desktop.monitoring.exported_sensors import FRESH_S
from codette_desktop.monitoring.exposition import Family, exposition, samples
from codette_desktop.monitoring.prometheus_rules import prometheus_rules
from codette_desktop.monitoring.stored import stored_now

RULES_FILE = "codette-rules.yml"


@click.command()
@click.option(
    "--rules",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the alert rules for Prometheus and eight dashboards for Grafana into this folder instead.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def metrics(folder: Path, directory: Path | None, as_json: bool) -> None:
    """Print all metrics in the text format of Prometheus.

    Requests are counted since the first start. The sensors are read now, unless an open window has just read them.
    """
    if directory is None:
        found = asyncio.run(_gather(folder))
        click.echo(json.dumps(_fields(found), ensure_ascii=False) if as_json else exposition(found), nl=as_json)
        return
    rules = asyncio.run(_rules(folder))
    written = _write(directory, {RULES_FILE: prometheus_rules(rules), **dashboard_files()})
    off = [rule.name for rule in rules if not rule.enabled]
    if as_json:
        click.echo(json.dumps({"written": written, "rules_left_out": off}, ensure_ascii=False))
        return
    for item in written:
        click.echo(f"{item['file']}: {item['state']}")
    for name in off:
        click.echo(f"The rule “{name}” is switched off and was left out.")


async def _gather(folder: Path) -> list[Family]:
    async with opened(folder) as application:
        now = await asyncio.to_thread(application.metrics.now)
        if now.sample is None or time.time() - now.sample.at > FRESH_S:
            sample, devices = await asyncio.to_thread(sample_once, folder)
            now = stored_now(application.store, time.time(), sample, devices)
        return await asyncio.to_thread(application.metrics.families, now)


async def _rules(folder: Path) -> tuple[Rule, ...]:
    async with opened(folder) as application:
        return application.watch.rules()


def _write(directory: Path, files: dict[str, str]) -> list[dict[str, str]]:
    """Write each file, and say of each whether it is new, was replaced, or said the same before."""
    written: list[dict[str, str]] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = directory / name
            before = path.read_bytes() if path.exists() else None
            same = before == text.encode()
            if not same:
                path.write_text(text, encoding="utf-8", newline="\n")
            state = "unchanged" if same else "written" if before is None else "replaced"
            written.append({"file": str(path), "state": state})
    except OSError as error:
        done = f"Written before: {', '.join(item['file'] for item in written)}." if written else ""
        raise InvalidRequest(f"{error.filename or directory} cannot be written: {error.strerror}.", done) from error
    return written


def _fields(families: list[Family]) -> dict[str, Any]:
    """For JSON: those that have values."""
    return {
        "metrics": [
            {
                "name": family.metric.prometheus,
                "otel": family.metric.name,
                "kind": family.metric.kind.value,
                "unit": family.metric.unit,
                "help": family.metric.help,
                "values": [
                    {"name": name, "labels": dict(labels), "value": value} for name, labels, value in samples(family)
                ],
            }
            for family in sorted(families, key=lambda item: item.metric.prometheus)
            if family.values
        ]
    }
