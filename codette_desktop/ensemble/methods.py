"""How each method goes about a question: whom it asks and when it stops asking."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from codette_desktop.domain.answers import TextChunk
from codette_desktop.domain.ensembles import EnsemblePart, Member, MemberPart, Method, TogetherText, Working
from codette_desktop.domain.errors import Cancelled, CodetteError
from codette_desktop.domain.requests import ChatRequest, RequestOrigin
from codette_desktop.ensemble import hybrid
from codette_desktop.ensemble.asking import Asking
from codette_desktop.ensemble.consensus import SYNTHESIS_BELOW, synthesis_messages, synthesised, wants_synthesis
from codette_desktop.ensemble.deciding import decide, with_the_missing
from codette_desktop.ensemble.questions import likely_kind
from codette_desktop.ensemble.token_level import write_together
from codette_desktop.ensemble.vote import settled

SAMPLE_TEMPERATURE = 0.7


def method_run(run: Asking) -> AsyncGenerator[EnsemblePart, None]:
    """The parts of a run, by its method."""
    method = run.request.method
    if method is Method.HYBRID:
        return _hybrid(run)
    if method is Method.VOTE:
        return _vote(run)
    if method is Method.TOKEN:
        return write_together(run)
    return _all(run)


async def _all(run: Asking) -> AsyncGenerator[EnsemblePart, None]:
    """Everybody answers, then it is decided; for Method.NONE it is not."""
    async with aclosing(run.in_turn(range(len(run.request.members)))) as parts:
        async for part in parts:
            yield part
    if run.request.method is not Method.NONE:
        async with aclosing(_decided(run)) as parts:
            async for part in parts:
                yield part


async def _vote(run: Asking) -> AsyncGenerator[EnsemblePart, None]:
    """As `_all`, but those are stopped who can change nothing any more."""
    places = range(len(run.request.members))
    may_stop = run.request.kind is not None or likely_kind(run.question, run.request.options) is not None
    async with aclosing(run.in_turn(places)) as parts:
        async for part in parts:
            yield part
            if may_stop and isinstance(part, MemberPart) and run.gathering.answers[part.place].end is not None:
                left = run.gathering.left_of(places)
                if left and _is_settled(run, len(left)):
                    may_stop = False
                    yield Working(f"Settled after {len(places) - len(left)} of {len(places)}: nobody else is needed.")
                    for place in left:
                        run.gathering.drop(place, Cancelled("The vote was settled without it."))
    async with aclosing(_decided(run)) as parts:
        async for part in parts:
            yield part


def _is_settled(run: Asking, left: int) -> bool:
    case = run.case()
    if case.kind is None or len(case.closed) < len(case.usable):
        return False
    counts: dict[str, int] = {}
    for answer in case.closed.values():
        counts[answer] = counts.get(answer, 0) + 1
    return settled(list(counts.values()), left)


async def _hybrid(run: Asking) -> AsyncGenerator[EnsemblePart, None]:
    members = len(run.request.members)
    order = hybrid.order_of(run.case())
    why: list[str] = []
    while True:
        case = await run.case_compared()
        step = hybrid.next_step(case, order, members, run.spent_s, run.request.budget_s)
        why.append(step.why)
        yield Working(step.why)
        if step.decides:
            break
        places = step.ask or run.gathering.add(samples_of(case.answers[order[0]].member, step.samples))
        async with aclosing(run.in_turn(places)) as parts:
            async for part in parts:
                if getattr(part, "place", 0) < members:  # samples have no column of their own
                    yield part
    if not case.usable:
        raise run.failure()
    outcome = hybrid.without_samples(hybrid.decide(case, why, members), members, order[0])
    yield with_the_missing(case, outcome)


def samples_of(member: Member, count: int) -> list[Member]:
    """The same member again, warm enough to say something else."""
    seed = 1 if member.sampling.seed is None else member.sampling.seed + 1
    warm = max(SAMPLE_TEMPERATURE, member.sampling.temperature)
    return [
        replace(
            member,
            label=f"{member.label}, sample {number + 2}",
            sampling=member.sampling.with_changes(temperature=warm, seed=seed + number),
        )
        for number in range(count)
    ]


async def _decided(run: Asking) -> AsyncGenerator[EnsemblePart, None]:
    case = await run.case_compared()
    if not case.usable:
        raise run.failure()
    outcome = decide(case, run.request.method)
    judge = run.request.judge
    if not judge or outcome.used is not Method.CONSENSUS:
        yield outcome
        return
    if not wants_synthesis(outcome):
        reason = f"They agree well enough ({100 * outcome.agreement:.0f} %), so nothing was written anew."
        yield replace(outcome, reasons=(*outcome.reasons, reason))
        return
    label = run.services.label(judge)
    yield Working(f"They agree by less than {100 * SYNTHESIS_BELOW:.0f} %: {label} writes one answer from them.")
    pieces: list[str] = []
    origin = RequestOrigin(purpose=run.request.purpose)
    request = ChatRequest(judge, synthesis_messages(case, outcome), run.request.members[0].sampling, origin=origin)
    try:
        async with aclosing(run.services.provider.stream(request)) as parts:
            async for part in parts:
                if isinstance(part, TextChunk):
                    pieces.append(part.text)
                    yield TogetherText(part.text)
    except CodetteError as error:
        reason = f"{label} could not write one answer from them: {error.message}"
        yield replace(outcome, reasons=(*outcome.reasons, reason))
        return
    text = "".join(pieces)
    yield synthesised(outcome, text, label) if text.strip() else outcome
