"""Answers that members write together cannot be had from those that they gave alone: each is written for real."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from codette_desktop.domain.ensembles import EnsembleRequest, Member, Method, Outcome
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.reliability import Standing
from codette_desktop.domain.request_log import Purpose
from codette_desktop.ensemble import weights
from codette_desktop.ensemble.questions import likely_kind
from codette_desktop.ensemble.service import EnsembleRun
from codette_desktop.evaluation.suites import Question
from codette_desktop.proof.gathering import system_of
from codette_desktop.proof.replay import Replayed

Start = Callable[[EnsembleRequest], EnsembleRun]


async def write(start: Start, question: Question, members: Sequence[Member], standings: Sequence[Standing]) -> Replayed:
    """One question by all members at once; they count by what `standings` say of them. A failure is an empty answer."""
    asked = tuple(replace(member, system=system_of(question, member)) for member in members)
    ways = weights.ways_of(likely_kind(question.prompt, question.options), question.options)
    told = weights.weights(standings, [0.0] * len(members), range(len(members)), ways)
    messages = (Message(Role.USER, question.prompt),)
    request = EnsembleRequest(
        messages, asked, Method.TOKEN, options=question.options, weights=told, purpose=Purpose.EVALUATE
    )
    text = ""
    started = time.perf_counter()
    try:
        async for part in start(request).parts():
            if isinstance(part, Outcome):
                text = part.text
    except CodetteError:
        text = ""
    return Replayed(text, time.perf_counter() - started, len(members))
