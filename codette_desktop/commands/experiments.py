"""`experiments`: the questions that duels are to settle, where each stands, and all of one as a file."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from codette_desktop.commands.common import common, opened
from codette_desktop.commands.leaderboard import pair_fields, pair_text
from codette_desktop.commands.votes import vote_fields
from codette_desktop.domain.duels import Experiment
from codette_desktop.domain.votes import VoteFilter
from codette_desktop.files import replacing
from codette_desktop.rating.concluding import Concluded, conclusion
from codette_desktop.rating.words import votes_words

_SHOWN = 80  # characters of a question in the list
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def experiments() -> None:
    """Experiments: questions about contestants, settled by duels under a rule fixed at the start."""


@experiments.command("list")
@_JSON
@common
def list_experiments(folder: Path, as_json: bool) -> None:
    """List them, the newest first."""
    found = asyncio.run(_list(folder))
    if as_json:
        click.echo(json.dumps({"experiments": [_fields(*item) for item in found]}, ensure_ascii=False))
        return
    for item, stand in found:
        when = f"{item.created_at.astimezone():%Y-%m-%d}"
        asked = stand.conclusion.votes - stand.equal
        question = item.question if len(item.question) <= _SHOWN else f"{item.question[: _SHOWN - 1]}…"
        click.echo(f"{item.id}  {when}  {_state(item):10} {votes_words(asked):>11}  {question}")
    if not found:
        click.echo("There is no experiment yet. Begin one in the Rate tab.")


@experiments.command()
@click.argument("id_", metavar="ID")
@_JSON
@common
def show(id_: str, folder: Path, as_json: bool) -> None:
    """Show one: its rule, and where every pair stands."""
    item, stand = asyncio.run(_show(folder, id_))
    if as_json:
        click.echo(json.dumps(_fields(item, stand), ensure_ascii=False))
        return
    asked = stand.conclusion.votes - stand.equal
    margin = "none" if item.rule.margin is None else f"{item.rule.margin:g}"
    click.echo(f"{item.question}\n")
    click.echo(f"{_state(item)} · {asked:,} of at most {item.rule.most_votes:,} votes · {len(item.prompts):,} prompts")
    if stand.equal:
        pairs = "1 pair of answers was" if stand.equal == 1 else f"{stand.equal:,} pairs of answers were"
        click.echo(f"{pairs} equal word for word: ties that nobody was asked for, on top of that.")
    click.echo(
        f"Rule: alpha {item.rule.alpha:g}, margin {margin}, begun {item.created_at.astimezone():%Y-%m-%d %H:%M}\n"
    )
    labels = [who.label for who in item.contestants]
    for pair in stand.conclusion.pairs:
        click.echo(pair_text(pair, labels))


@experiments.command()
@click.argument("id_", metavar="ID")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_JSON
@common
def export(id_: str, file: Path, folder: Path, as_json: bool) -> None:
    """Write all of one to FILE as JSON: rule, prompts, contestants with their files and parameters, and every vote."""
    count = asyncio.run(_export(folder, id_, file))
    click.echo(
        json.dumps({"votes": count, "out": str(file)})
        if as_json
        else f"{votes_words(count)} {'was' if count == 1 else 'were'} written to {file}."
    )


async def _list(folder: Path) -> list[tuple[Experiment, Concluded]]:
    async with opened(folder) as application:
        return [(item, conclusion(application.store, item)) for item in application.rating.experiments()]


async def _show(folder: Path, experiment_id: str) -> tuple[Experiment, Concluded]:
    async with opened(folder) as application:
        item = application.rating.experiment(experiment_id)
        return item, conclusion(application.store, item)


async def _export(folder: Path, experiment_id: str, file: Path) -> int:
    async with opened(folder) as application:
        item = application.rating.experiment(experiment_id)
        votes = list(application.store.votes.each(VoteFilter(experiment_id=item.id)))
        told = _fields(item, conclusion(application.store, item))
        told |= {
            "prompts": list(item.prompts),
            "contestants": [asdict(who) for who in item.contestants],
            "votes": [vote_fields(vote) | {"answers": [_answer(vote.left), _answer(vote.right)]} for vote in votes],
        }
        with replacing(file) as part:
            part.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return len(votes)


def _answer(side: Any) -> dict[str, Any] | None:
    return {name: value for name, value in asdict(side).items() if name != "contestant"} if side else None


def _state(item: Experiment) -> str:
    return item.ending.value if item.ending else "going on"


def _fields(item: Experiment, known: Concluded) -> dict[str, Any]:
    labels, stand = [who.label for who in item.contestants], known.conclusion
    return {
        "id": item.id,
        "question": item.question,
        "state": _state(item),
        "created_at": item.created_at.isoformat(timespec="seconds"),
        "ended_at": item.ended_at.isoformat(timespec="seconds") if item.ended_at else None,
        "contestants": [{"label": who.label, "key": who.key, "spec": who.spec} for who in item.contestants],
        "source": item.source.value,
        "prompts": len(item.prompts),
        "rule": asdict(item.rule),
        "votes": stand.votes,
        "equal": known.equal,
        "more_votes": stand.more_votes,
        "pairs": [
            {"first": labels[pair.first], "second": labels[pair.second], **pair_fields(pair)} for pair in stand.pairs
        ],
    }
