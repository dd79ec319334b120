"""Tasks: what a prompt asks for, as far as choosing a model is concerned."""

from dataclasses import dataclass, field
from enum import StrEnum


class TaskType(StrEnum):
    """The eight kinds of work a prompt may ask for."""

    CODING = "coding"  # write, change or translate code, queries, scripts, formulas
    ARCHITECTURE = "architecture"  # the shape of a system: parts, boundaries, data models, choice of technology
    TESTING = "testing"  # write tests, choose cases, test plans and doubles
    DEBUGGING = "debugging"  # something goes wrong: find out why, repair it
    DOCUMENTATION = "documentation"  # text about software or a product for those who use or keep it
    ANALYSIS = "analysis"  # compare, evaluate, interpret data, texts or options
    PLANNING = "planning"  # order work in time: schedules, steps, estimates, priorities
    GENERAL = "general"  # everything else: facts, conversation, creative writing, translation


@dataclass(frozen=True, slots=True)
class Needs:
    """What the person is likely to value in the answer, each from 0 to 1, independently of the others."""

    accuracy: float = 0.5
    speed: float = 0.5
    creativity: float = 0.2


@dataclass(frozen=True, slots=True)
class Task:
    """One request, read.

    `confidence` is the classifier's probability of `type`, 0 to 1; `decided_by` are the words and marks that spoke most
    for it, strongest first. `complexity` runs from 0 (a greeting) to 1. `prompt_tokens` is an estimate, on the high
    side, of all messages together; `answer_tokens` is the room an answer of this kind usually needs.
    """

    type: TaskType
    confidence: float = 1.0
    decided_by: tuple[str, ...] = ()
    complexity: float = 0.5
    needs: Needs = field(default_factory=Needs)
    prompt_tokens: int = 0
    answer_tokens: int = 256

    @property
    def context_tokens(self) -> int:
        """What a model's context must hold: prompt and answer."""
        return self.prompt_tokens + self.answer_tokens
