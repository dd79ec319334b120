"""What a model can probably do, before and after it has been tried, and what a task asks for.

The estimate grows with the logarithm of the number of parameters, as the loss of language models falls with a power of
it (Kaplan et al. 2020, arXiv:2001.08361); that says nothing of one particular model, so measured quality replaces the
estimate as it comes in.
"""

import math
import re
from collections.abc import Mapping
from enum import StrEnum

from codette_desktop.domain.profiles import ModelProfile
from codette_desktop.domain.tasks import Task, TaskType
from codette_desktop.inference.routing.candidates import RoutableModel


class Capability(StrEnum):
    """Seven things a model can be more or less good at, each from 0 to 1."""

    CODING = "coding"  # write and read programs, queries, formulas
    REASONING = "reasoning"  # several steps of thought that hold together
    KNOWLEDGE = "knowledge"  # facts of the world and of technology
    WRITING = "writing"  # clear and fitting prose, ideas
    INSTRUCTIONS = "instructions"  # do what was asked, in the form that was asked for
    LANGUAGES = "languages"  # other languages than English
    LONG_CONTEXT = "long_context"  # use a long text or a long conversation


C = Capability
# How much of a task's match hangs on each capability; each row sums to 1. Chosen, not measured.
WEIGHTS: dict[TaskType, dict[Capability, float]] = {
    TaskType.CODING: {C.CODING: 0.6, C.REASONING: 0.2, C.INSTRUCTIONS: 0.2},
    TaskType.ARCHITECTURE: {C.REASONING: 0.35, C.KNOWLEDGE: 0.3, C.CODING: 0.2, C.WRITING: 0.15},
    TaskType.TESTING: {C.CODING: 0.5, C.REASONING: 0.25, C.INSTRUCTIONS: 0.25},
    TaskType.DEBUGGING: {C.CODING: 0.45, C.REASONING: 0.4, C.KNOWLEDGE: 0.15},
    TaskType.DOCUMENTATION: {C.WRITING: 0.5, C.CODING: 0.2, C.INSTRUCTIONS: 0.3},
    TaskType.ANALYSIS: {C.REASONING: 0.5, C.KNOWLEDGE: 0.3, C.LONG_CONTEXT: 0.2},
    TaskType.PLANNING: {C.REASONING: 0.4, C.INSTRUCTIONS: 0.35, C.KNOWLEDGE: 0.25},
    TaskType.GENERAL: {C.KNOWLEDGE: 0.4, C.WRITING: 0.3, C.INSTRUCTIONS: 0.15, C.LANGUAGES: 0.15},
}
_TAGS: tuple[tuple[str, dict[Capability, float]], ...] = (
    ("cod(?:er|e|estral|egemma|ellama)|starcoder|devstral", {C.CODING: 0.15, C.REASONING: 0.03, C.WRITING: -0.05}),
    ("math|reason|think|qwq|r1", {C.REASONING: 0.15}),
    ("instruct|chat|it|assistant", {C.INSTRUCTIONS: 0.1}),
    ("multilingual|aya|eurollm|teuken|qwen\\d*|gemma\\d*", {C.LANGUAGES: 0.1}),
)
_STARTER = 0.05  # the starter models explain this application and nothing else
_HALF_TRUST_VOTES = 10  # with so many votes, measured quality and the estimate count the same


def match(model: RoutableModel, task: Task, profile: ModelProfile | None) -> float:
    """How well the model fits the task, 0 to 1: the weighted mean of its capabilities, each against what is needed.

    An easy task is fully matched by a modest model, so that speed decides there. Quality is that of `profile`.
    """
    needed = 0.35 + 0.65 * task.complexity
    able = capabilities(model)
    estimate = sum(weight * min(1.0, able[name] / needed) for name, weight in WEIGHTS[task.type].items())
    if profile is None or profile.quality is None:
        return estimate
    trust = profile.quality_votes / (profile.quality_votes + _HALF_TRUST_VOTES)
    return (1 - trust) * estimate + trust * profile.quality / 10


def capabilities(model: RoutableModel) -> Mapping[Capability, float]:
    """All seven, estimated from size, quantisation, name and context length."""
    if model.starter:
        return dict.fromkeys(Capability, _STARTER)
    level = max(0.0, _size_level(model.parameters) - quantisation_loss(model.quantisation))
    found = dict.fromkeys(Capability, level)
    found[C.LANGUAGES] = 0.8 * level
    found[C.LONG_CONTEXT] = min(level, _context_level(model.context_length))
    if not model.has_chat_template:
        found[C.INSTRUCTIONS] -= 0.3
    words = " ".join(re.split(r"[^a-z0-9]+", f"{model.name} {model.label} {model.architecture}".lower()))
    for tag, changes in _TAGS:
        if re.search(rf"\b(?:{tag})\b", words):
            for name, change in changes.items():
                found[name] += change
    return {name: min(1.0, max(0.0, value)) for name, value in found.items()}


def quantisation_loss(quantisation: str) -> float:
    """What is taken off for few bits per weight: nothing to speak of from 5 bits on, much below 4. A rule of thumb."""
    found = re.search(r"(?:I?Q|MXFP)(\d)", quantisation.upper())
    bits = int(found[1]) if found else 8
    return {1: 0.35, 2: 0.2, 3: 0.08, 4: 0.03, 5: 0.01}.get(bits, 0.0)


def _size_level(parameters: int) -> float:
    """0 at 10 million, 0.5 at 1 billion, 1 at 100 billion; a middling 0.6 where the size is not known."""
    if parameters <= 0:
        return 0.6
    return min(1.0, max(0.0, (math.log10(parameters) - 7) / 4))


def _context_level(tokens: int) -> float:
    """0 at 2,048 tokens, 1 at 131,072."""
    return min(1.0, max(0.0, math.log2(max(1, tokens) / 2048) / 6)) if tokens else 0.5
