"""`leaderboard`: ratings with their intervals, and what may be said of each pair."""

import asyncio
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from codette_desktop.commands.common import common, opened
from codette_desktop.domain.votes import Source, VoteFilter
from codette_desktop.rating.intervals import Interval
from codette_desktop.rating.leaderboard import Control, Leaderboard
from codette_desktop.rating.verdict import PairVerdict, State
from codette_desktop.rating.words import verdict_words, votes_words

_SHOWN = 44  # columns of a terminal for a name
_DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@click.command()
@click.option("--task", default="", help="Only votes on prompts of this kind.")
@click.option("--since", type=_DATE, help="Only votes from this day on (local time).")
@click.option("--experiment", default="", help="Only votes of the experiment with this ID.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=click.Choice([item.value for item in Source if item is not Source.THUMB]),
    help="Only votes from there. May be given several times.",
)
@click.option(
    "--control",
    "controls",
    multiple=True,
    type=click.Choice([item.value for item in Control]),
    help="Take out what the style of an answer, or its side, is worth by itself.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def leaderboard(folder: Path, as_json: bool, controls: tuple[str, ...], **chosen: Any) -> None:
    """Rate all contestants by the blind votes, and say of each pair whether it is settled."""
    since: datetime | None = chosen["since"]
    wanted = VoteFilter(
        experiment_id=chosen["experiment"],
        task=chosen["task"],
        since=since.astimezone(UTC) if since else None,
        sources=tuple(map(Source, chosen["sources"])),
    )
    found, equal = asyncio.run(_rate(folder, wanted, tuple(map(Control, controls))))
    if as_json:
        click.echo(json.dumps(board_fields(found) | {"equal": equal}, ensure_ascii=False))
    elif not found.standings and wanted != VoteFilter():
        click.echo("No vote that counts fits. Leave out --task, --since, --experiment or --source to see all.")
    else:
        click.echo(board_text(found, equal))


async def _rate(folder: Path, wanted: VoteFilter, controls: tuple[Control, ...]) -> tuple[Leaderboard, int]:
    """Also how many of the votes are ties that nobody was asked for."""
    async with opened(folder) as application:
        asked = wanted.sources and Source.IDENTICAL not in wanted.sources
        only = replace(wanted, sources=(Source.IDENTICAL,), blind=True)
        equal = 0 if asked else application.votes.count(only)
        return application.votes.leaderboard(wanted, controls=controls), equal


def board_fields(found: Leaderboard) -> dict[str, Any]:
    """For JSON."""
    by_place = {item.place: item.contestant for item in found.standings}
    standings = [
        {
            "rank": item.rank,
            "label": item.contestant.label,
            "key": item.contestant.key,
            "rating": round(item.rating.value, 1),
            "low": round(item.rating.low, 1),
            "high": round(item.rating.high, 1),
            "votes": item.votes,
            "wins": item.wins,
            "losses": item.losses,
            "ties": item.ties,
            "both_bad": item.both_bad,
            "share": round(item.share, 4),
            "support": item.support.value,
        }
        for item in found.standings
    ]
    pairs = [
        {"first": by_place[item.first].label, "second": by_place[item.second].label, **pair_fields(item)}
        for item in found.pairs
    ]
    return {
        "votes": found.votes,
        "both_bad": found.both_bad,
        "prompts": found.prompts,
        "excluded": {reason.value: count for reason, count in found.excluded},
        "taken_back": found.taken_back,
        "missing_votes": found.missing_votes,
        "standings": standings,
        "pairs": pairs,
        "effects": [{"name": item.name, **_interval("points", item.points, 1)} for item in found.effects],
    }


def pair_fields(item: PairVerdict) -> dict[str, Any]:
    """A verdict for JSON, without the names; shares and probabilities are those of the first."""
    return {
        "state": item.state.value,
        "settled": item.state in (State.SETTLED, State.EQUALLY_GOOD),
        "wins": item.count.wins,
        "losses": item.count.losses,
        "ties": item.count.ties,
        "both_bad": item.count.both_bad,
        **_interval("share", item.share, 4),
        **_interval("probability", item.probability, 4),
        "evidence": round(item.e_value, 4),
        "needed": round(item.threshold, 4),
        "more_votes": item.more_votes,
    }


def board_text(found: Leaderboard, equal: int = 0) -> str:
    """For a terminal. `equal` of the votes are ties that nobody was asked for."""
    if not found.standings:
        return "There are no votes that count yet. Cast some in the Rate tab, or read a table with 'votes import'."
    heads = f"{'votes':>6} {'won':>5} {'lost':>5} {'tied':>5} {'bad':>5}"
    lines = [f"{'rank':>4}  {_fit('contestant')}  {'rating':>6}  {'95 %':>13}  {heads}"]
    for item in found.standings:
        interval = f"{item.rating.low:.0f} to {item.rating.high:.0f}"
        lines.append(
            f"{item.rank or '–':>4}  {_fit(item.contestant.label)}  {item.rating.value:>6.0f}  {interval:>13}  "
            f"{item.votes:>6,} {item.wins:>5,} {item.losses:>5,} {item.ties:>5,} {item.both_bad:>5,}"
        )
    labels = [item.contestant.label for item in sorted(found.standings, key=lambda item: item.place)]
    lines += ["", *(pair_text(pair, labels) for pair in found.pairs)]
    prompts = "1 prompt" if found.prompts == 1 else f"{found.prompts:,} prompts"
    lines += ["", f"{votes_words(found.votes)} on {prompts}."]
    lines += [f"{votes_words(equal)} of these: both answers were equal, and nobody was asked."] if equal else []
    lines += [f"{votes_words(count)} left out: {reason.value}." for reason, count in found.excluded]
    lines += [f"{votes_words(found.taken_back)} taken back."] if found.taken_back else []
    if found.missing_votes:
        more = "1 more vote" if found.missing_votes == 1 else f"{found.missing_votes:,} more votes"
        lines.append(f"Nothing was taken out: that takes {more}.")
    for effect in found.effects:
        points = effect.points
        lines.append(f"{effect.name}: worth {points.value:+.0f} points ({points.low:+.0f} to {points.high:+.0f}).")
    return "\n".join(lines)


def pair_text(item: PairVerdict, labels: Sequence[str]) -> str:
    """A verdict for a terminal, with the names also where it says nothing of either."""
    words = verdict_words(item, labels)
    return f"{labels[item.first]} and {labels[item.second]}: {words}" if item.state is State.TOO_EARLY else words


def _interval(name: str, item: Interval, digits: int) -> dict[str, float]:
    low, high = round(item.low, digits), round(item.high, digits)
    return {name: round(item.value, digits), f"{name}_low": low, f"{name}_high": high}


def _fit(text: str) -> str:
    """Exactly _SHOWN columns wide, where wide characters take two."""
    kept, width = "", 0
    for character in " ".join(text.split()):
        wide = 2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1
        if width + wide > _SHOWN:
            break
        kept, width = kept + character, width + wide
    return kept + " " * (_SHOWN - width)
