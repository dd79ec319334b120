"""`compare`: one prompt to several models, side by side, and one answer made of theirs."""

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from codette_desktop.application import Application
from codette_desktop.commands.answer_fields import answer_fields
from codette_desktop.commands.common import common, opened
from codette_desktop.domain.answers import AnswerEnd, TextChunk
from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.ensembles import (
    EnsembleRequest,
    MemberAnswer,
    MemberBegins,
    MemberDropped,
    MemberPart,
    MemberWaits,
    Method,
    Outcome,
    Working,
)
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.requests import Sampling

_EXPLAINED = "\n".join(
    f"  {method.value:10} {words}"
    for method, words in {
        Method.NONE: "side by side only",
        Method.VOTE: "the answer most of them give: numbers, choices, yes or no, JSON",
        Method.WEIGHTED: "as vote, by how often each was right and how sure it is",
        Method.CONSENSUS: "the answer most like all others; with --judge a model may write one from them",
        Method.HYBRID: "asks as few as it takes, and says why",
        Method.TOKEN: "they write one answer together, token by token",
    }.items()
)


@click.command(epilog="\b\nMethods:\n" + _EXPLAINED)
@click.argument("prompt")
@click.option("--models", "names", default="", help="Members, with commas between: MODEL#ROLE?temperature=1&seed=7.")
@click.option("--method", type=click.Choice([method.value for method in Method]), default="none", show_default=True)
@click.option("--kind", type=click.Choice([kind.value for kind in AnswerKind]), help="What sort of answer it has.")
@click.option("--judge", default="", help="The model that may write one answer where the members differ.")
@click.option("--system", default="", help="System prompt for all, after that of a role.")
@click.option("--temperature", type=float, help="0 is the most probable answer every time.")
@click.option("--seed", type=int, help="The same seed gives the same answer.")
@click.option("--max-tokens", type=int, help="Longest answer, in tokens.")
@click.option("--budget", type=float, default=120.0, show_default=True, help="Seconds that hybrid may spend.")
@click.option("--fresh", is_flag=True, help="Ask the models themselves, even where answers are in the cache.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@common
def compare(prompt: str, folder: Path, as_json: bool, **options: Any) -> None:
    """Ask several models, and make one answer of theirs. PROMPT "-" is read from standard input.

    A member is MODEL#ROLE?PARAMETERS, of which all but one may be left out: guide-s, guide-s#devops,
    'guide-s?temperature=1&seed=2', '#security-architect'. Without --models it is all starter models.
    """
    text = sys.stdin.buffer.read().decode("utf-8", "replace") if prompt == "-" else prompt
    explicit = {key: options[key] for key in ("temperature", "seed", "max_tokens") if options[key] is not None}
    Sampling(**explicit)  # wrong ranges are told before anything is opened
    asked = asyncio.run(_compare(folder, text, explicit, options))
    click.echo(json.dumps(asked.fields(), ensure_ascii=False) if as_json else asked.text())
    if not any(answer.usable for answer in asked.answers):
        raise asked.error or CodetteError("Nobody gave an answer.")


@dataclass(slots=True)
class Compared:
    """What came of it."""

    method: Method
    answers: list[MemberAnswer]
    quantisations: list[str]
    waited: dict[int, str]
    outcome: Outcome | None = None
    error: CodetteError | None = None

    def fields(self) -> dict[str, Any]:
        """For --json."""
        found: dict[str, Any] = {
            "members": [self._member(place) for place in range(len(self.answers))],
            "method": self.method.value,
        }
        outcome = self.outcome
        if outcome is not None:
            found |= {
                "used": outcome.used.value,
                "answer": outcome.text,
                "winner": outcome.winner,
                "agreement": round(outcome.agreement, 4),
                "quality": round(outcome.quality, 4),
                "disagree": outcome.disagree,
                "synthesised_by": outcome.judge,
                "kind": outcome.kind.value if outcome.kind else None,
                "tally": [
                    {"answer": item.answer, "members": list(item.members), "weight": round(item.weight, 4)}
                    for item in outcome.tally
                ],
                "weights": [round(weight, 4) for weight in outcome.weights],
                "alternatives": list(outcome.alternatives),
                "reasons": list(outcome.reasons),
                "seconds": round(outcome.seconds, 3),
                "tokens": [
                    {"text": item.text, "probability": round(item.probability, 4), "by": list(item.decided_by)}
                    for item in outcome.tokens
                ],
            }
        return found

    def _member(self, place: int) -> dict[str, Any]:
        answer = self.answers[place]
        head = {"member": answer.member.spec, "label": answer.member.label, "asked": answer.asked}
        error = answer.error.message if answer.error else ""
        if answer.end is None:
            return {**head, "answer": answer.text, "error": error}
        told, confidence = answer.end.confidence, None
        if told is not None:
            confidence = {"bits_per_byte": round(told.bits_per_byte, 4), "weakest": round(told.weakest, 4)}
        fields = answer_fields(answer.text, answer.end, self.quantisations[place])
        return {**head, **fields, "confidence": confidence, "error": error}

    def text(self) -> str:
        """For people."""
        lines: list[str] = []
        for place, answer in enumerate(self.answers):
            if not answer.asked and answer.error is None:
                continue
            lines += [f"── {answer.member.label}", answer.text.strip() or "(nothing)"]
            if answer.error is not None:
                lines.append(f"   {answer.error.message}")
            elif answer.end is not None:
                figures = answer.end.figures
                speed = "cached" if figures.cached else f"{figures.tokens_per_second:.0f} tok/s"
                lines.append(
                    f"   {figures.completion_tokens} tokens · {speed} · "
                    f"first token {figures.time_to_first_token_ms:.0f} ms"
                )
            if place in self.waited:
                lines.append(f"   {self.waited[place]}")
            lines.append("")
        if self.outcome is not None:
            lines += self._together(self.outcome)
        return "\n".join(lines).rstrip()

    def _together(self, outcome: Outcome) -> list[str]:
        by = f", written by {outcome.judge}" if outcome.synthesised else ""
        lines = [f"══ Together ({outcome.used.value}{by})", outcome.text.strip(), ""]
        for item in outcome.tally:
            voters = ", ".join(self.answers[place].member.label for place in item.members)
            lines.append(f"   {100 * item.weight:3.0f} %  {item.answer}   ({voters})")
        lines.append(f"   agreement {100 * outcome.agreement:.0f} % · quality {100 * outcome.quality:.0f} %")
        return [*lines, *(f"   {reason}" for reason in outcome.reasons)]


async def _compare(folder: Path, text: str, explicit: dict[str, Any], options: dict[str, Any]) -> Compared:
    async with opened(folder) as application:
        specs = options["names"].split(",") if options["names"].strip() else _starters(application)
        members = application.members.read_all(specs, options["system"], explicit)
        judge = application.catalogue.name_to_ask(options["judge"]) if options["judge"] else ""
        request = EnsembleRequest(
            (Message(Role.USER, text),),
            members,
            Method(options["method"]),
            AnswerKind(options["kind"]) if options["kind"] else None,
            judge=judge,
            budget_s=options["budget"],
            fresh=options["fresh"],
        )
        run = application.ensembles.start(request)
        quantisations = [application.catalogue.find_model(member.model).quantisation for member in members]
        found = Compared(request.method, [MemberAnswer(member, asked=False) for member in members], quantisations, {})
        try:
            async for part in run.parts():
                _take(found, part)
        except CodetteError as error:
            found.error = error
        return found


def _take(found: Compared, part: object) -> None:
    if isinstance(part, MemberWaits):
        found.waited[part.place] = part.why
    elif isinstance(part, Working):
        click.echo(part.text, err=True)
    elif isinstance(part, Outcome):
        found.outcome = part
    elif isinstance(part, MemberBegins | MemberPart | MemberDropped):
        answer = found.answers[part.place]
        if isinstance(part, MemberBegins):
            answer = replace(answer, asked=True)
        elif isinstance(part, MemberDropped):
            answer = replace(answer, error=part.error)
        elif isinstance(part.part, TextChunk):
            answer = replace(answer, text=answer.text + part.part.text)
        elif isinstance(part.part, AnswerEnd):
            answer = replace(answer, end=part.part)
        found.answers[part.place] = answer


def _starters(application: Application) -> list[str]:
    return [model.name for model in application.library.list() if model.starter]
