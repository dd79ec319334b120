"""What came of a prompt to several models, as the commands print it."""

from dataclasses import dataclass, field, replace
from typing import Any

import click

from codette_desktop.commands.answer_fields import answer_fields
from codette_desktop.domain.answers import AnswerEnd, TextChunk
from codette_desktop.domain.comparisons import ComparisonSetup, OpenedComparison
from codette_desktop.domain.ensembles import (
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
from codette_desktop.ensemble.keeping import member_answers


@dataclass(slots=True)
class Compared:
    """Gathered by `take` while they answer, or made at once by `of`."""

    setup: ComparisonSetup
    answers: list[MemberAnswer]
    quantisations: list[str]
    waited: dict[int, str] = field(default_factory=dict[int, str])
    outcome: Outcome | None = None
    error: CodetteError | None = None
    id: str = ""

    @classmethod
    def of(cls, opened: OpenedComparison) -> "Compared":
        """One that was kept."""
        found = cls(opened.comparison.setup, member_answers(opened), [])
        found.outcome = opened.comparison.outcome
        found.take(opened)
        return found

    def take(self, part: object) -> None:
        """Follow a run; what it does is told on standard error."""
        if isinstance(part, MemberWaits):
            self.waited[part.place] = part.why
        elif isinstance(part, Working):
            click.echo(part.text, err=True)
        elif isinstance(part, Outcome):
            self.outcome = part
        elif isinstance(part, OpenedComparison):
            self.id = part.comparison.id
            generations = [node.generation if node else None for node in part.answers]
            self.quantisations = [generation.quantisation if generation else "" for generation in generations]
        elif isinstance(part, MemberBegins | MemberPart | MemberDropped):
            self.answers[part.place] = _with_part(self.answers[part.place], part)

    def fields(self) -> dict[str, Any]:
        """For --json."""
        found: dict[str, Any] = {
            "id": self.id,
            "members": [self._member(place) for place in range(len(self.answers))],
            "method": self.setup.method.value,
        }
        return found | (outcome_fields(self.outcome) if self.outcome else {})

    def _member(self, place: int) -> dict[str, Any]:
        answer = self.answers[place]
        together = self.outcome is not None and self.outcome.used is Method.TOKEN and self.outcome.weights[place] > 0
        head = {"member": answer.member.spec, "label": answer.member.label, "asked": answer.asked or together}
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
            if not answer.asked and answer.error is not None and not answer.text and self.outcome is not None:
                continue  # the reasons say it
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


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """What one answer of several prints in JSON."""
    return {
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
            {
                "text": item.text,
                "probability": round(item.probability, 4),
                "by": list(item.decided_by),
                "fused": item.fused,
            }
            for item in outcome.tokens
        ],
    }


def _with_part(answer: MemberAnswer, part: MemberBegins | MemberPart | MemberDropped) -> MemberAnswer:
    if isinstance(part, MemberBegins):
        return replace(answer, asked=True)
    if isinstance(part, MemberDropped):
        return replace(answer, error=part.error)
    if isinstance(part.part, TextChunk):
        return replace(answer, text=answer.text + part.part.text)
    if isinstance(part.part, AnswerEnd):
        return replace(answer, end=part.part)
    return answer
