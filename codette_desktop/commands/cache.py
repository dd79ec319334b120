"""`codette-desktop cache`: what is kept of answers, and forgetting it."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from codette_desktop.application import Application
from codette_desktop.commands.common import common, tell_notes


@click.group()
def cache() -> None:
    """The response cache: answers that are given again when the same is asked."""


@cache.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def stats(folder: Path, as_json: bool) -> None:
    """Say how many answers are kept and how often they were of use."""
    application = Application.open(folder)
    try:
        tell_notes(application)
        found = application.cache.statistics()
    finally:
        application.store.close()
    fields = {**asdict(found), "hit_rate": round(found.hit_rate, 4)}
    if as_json:
        click.echo(json.dumps(fields))
        return
    click.echo(
        f"{found.entries:,} answers, {found.size_bytes / 1e6:,.1f} MB · {found.hits:,} hits, {found.misses:,} misses "
        f"({found.hit_rate:.0%}), {found.shared:,} shared · {found.stores:,} kept, {found.evictions:,} left again"
    )
    if found.kv_files:
        click.echo(f"What was read of prompts: {found.kv_files:,} files, {found.kv_bytes / 1e6:,.1f} MB")


@cache.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def clear(folder: Path, as_json: bool) -> None:
    """Forget all cached answers and what was read of prompts.

    A window that is open keeps those it has in memory until it is closed.
    """
    application = Application.open(folder)
    try:
        tell_notes(application)
        removed = application.cache.clear().result()
    finally:
        application.store.close()
    click.echo(json.dumps({"removed": removed}) if as_json else f"{removed:,} answers were forgotten.")
