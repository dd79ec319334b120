"""Token level: the members write one answer together, and where they differ all decide on the next piece."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from codette_desktop.domain.ensembles import (
    EnsemblePart,
    MemberAnswer,
    MemberDropped,
    Method,
    Outcome,
    Working,
)
from codette_desktop.domain.errors import Cancelled, ModelLoadFailed, UnsupportedModel
from codette_desktop.domain.joint import (
    JointBegun,
    JointDropped,
    JointEnd,
    JointPart,
    JointRequest,
    JointToken,
    at_places,
    without,
)
from codette_desktop.domain.requests import ChatRequest, RequestOrigin
from codette_desktop.ensemble import weights
from codette_desktop.ensemble.asking import Asking, off_loop
from codette_desktop.ensemble.questions import likely_kind

DISAGREE_BELOW = 0.5
STOPPED = "It was stopped before the end."


async def write_together(run: Asking) -> AsyncGenerator[EnsemblePart, None]:
    """The parts of a run by Method.TOKEN: tokens, who drops out, and last the outcome."""
    told = await off_loop(lambda: _weights(run))
    left, parts = await _who_fits(run)
    for part in parts:
        yield part
    begun, end, tokens = None, None, list[JointToken]()
    async with aclosing(_joint(run, told, left)) as joint:
        async for part in joint:
            if isinstance(part, JointDropped):
                run.gathering.fail(part.place, part.error)
                yield MemberDropped(part.place, part.error)
            elif isinstance(part, JointToken):
                tokens.append(part)
                yield part
            elif isinstance(part, JointBegun):
                begun = part
                yield Working(f"They write together; {run.request.members[part.lead].label} begins each piece.")
            else:
                end = part
    if begun is None or end is None or not _text(tokens).strip():
        raise run.failure()
    yield _outcome(run, tokens, told, begun, end)


def stopped_outcome(tokens: Sequence[JointToken], members: int) -> Outcome:
    """What was written of an answer that was stopped in the middle."""
    return _outcome_of(tokens, (1 / members,) * members, (STOPPED,))


def shares(tokens: Sequence[JointToken], members: int) -> tuple[int, ...]:
    """For each member, at how many of the tokens that were decided on together its own first choice was taken."""
    return tuple(sum(token.fused and place in token.decided_by for token in tokens) for place in range(members))


def _joint(run: Asking, told: Sequence[float], left: Sequence[int]) -> AsyncGenerator[JointPart, None]:
    joint = run.services.joint
    if joint is None:
        raise UnsupportedModel("Nothing here can write token by token.", "Choose another method.")
    answers = run.gathering.answers
    origin = RequestOrigin(purpose=run.request.purpose)
    requests = tuple(
        ChatRequest(member.model, run.messages_to(member), member.sampling, origin=origin)
        for member in run.request.members
    )
    whole = JointRequest(requests, tuple(told), takes_part=lambda place: answers[place].error is None)
    return _at_places(joint.write_together(without(whole, left)), left)


async def _at_places(parts: AsyncGenerator[JointPart, None], left: Sequence[int]) -> AsyncGenerator[JointPart, None]:
    async with aclosing(parts):
        async for part in parts:
            yield at_places(part, left)


async def _who_fits(run: Asking) -> tuple[list[int], list[EnsemblePart]]:
    """The places of those who can write and be in memory at once, and what is to be said of the others."""
    members, refused = run.request.members, run.services.cannot_write
    errors = await off_loop(lambda: {place: refused(member) for place, member in enumerate(members)})
    dropped = {place: error for place, error in errors.items() if error is not None}
    able = [place for place in range(len(members)) if place not in dropped]
    turns = await off_loop(lambda: run.services.plan([members[place] for place in able]))
    for at in (at for group in turns.groups[1:] for at in group):
        why = turns.why.get(at, "")
        dropped[able[at]] = ModelLoadFailed(f"It does not fit into memory beside the others. {why}".strip())
    for place, error in dropped.items():
        run.gathering.fail(place, error)
    if len(dropped) == len(members):
        raise run.failure()
    left = [place for place in able if place not in dropped]
    return left, [MemberDropped(place, dropped[place]) for place in sorted(dropped)]


def _weights(run: Asking) -> tuple[float, ...]:
    """By how often each was right before, at questions of this kind; reads the store."""
    request = run.request
    if request.weights:
        return request.weights
    kind = request.kind or likely_kind(run.question, request.options)
    places = range(len(request.members))
    return weights.weights(run.standings(kind), [0.0] * len(places), places, weights.ways_of(kind, request.options))


def _outcome(
    run: Asking, tokens: Sequence[JointToken], told: Sequence[float], begun: JointBegun, end: JointEnd
) -> Outcome:
    answers = run.gathering.answers
    taking = [place for place, answer in enumerate(answers) if answer.error is None]
    total = sum(told[place] for place in taking) or 1.0
    counted = tuple(told[place] / total if place in taking else 0.0 for place in range(len(answers)))
    return _outcome_of(tokens, counted, _reasons(answers, taking, begun, end, tokens, told))


def _outcome_of(tokens: Sequence[JointToken], counted: tuple[float, ...], reasons: tuple[str, ...]) -> Outcome:
    agreement = _agreement(tokens)
    return Outcome(
        Method.TOKEN,
        Method.TOKEN,
        _text(tokens),
        None,
        agreement,
        _sureness(tokens),
        weights=counted,
        reasons=reasons,
        disagree=agreement < DISAGREE_BELOW,
        tokens=tuple(tokens),
    )


def _reasons(
    answers: Sequence[MemberAnswer],
    taking: Sequence[int],
    begun: JointBegun,
    end: JointEnd,
    tokens: Sequence[JointToken],
    told: Sequence[float],
) -> tuple[str, ...]:
    lead = answers[begun.lead].member.label
    found = [f"{lead} wrote it alone."] if len(taking) == 1 else []
    if len(taking) > 1:
        equal = len({told[place] for place in taking}) == 1
        found.append(f"{lead} drafted: {'all count the same, and it is the first' if equal else 'it counts most'}.")
        how = "their tokens are the same" if begun.same_vocabulary else "their tokens differ, so bytes were compared"
        together = sum(token.fused for token in tokens)
        found.append(f"All decided together on {together} of {len(tokens)} pieces; {how}.")
        taken = shares(tokens, len(answers))
        asked = taking if together else ()
        found += [f"{answers[place].member.label} would have said {taken[place]} of those itself." for place in asked]
    missing = [answer for answer in answers if answer.error is not None]
    for answer in missing:
        how = "wrote no further" if isinstance(answer.error, Cancelled) else "took no part"
        found.append(f"{answer.member.label} {how}: {answer.error.message if answer.error else ''}")
    if end.tokens:
        found.append(f"Deciding took {end.own_ms / end.tokens:.1f} ms a token besides the models' own time.")
    return tuple(found)


def _text(tokens: Sequence[JointToken]) -> str:
    return "".join(token.text for token in tokens)


def _agreement(tokens: Sequence[JointToken]) -> float:
    """The share of tokens that every member would have said by itself."""
    return sum(len(token.decided_by) >= token.asked for token in tokens) / len(tokens) if tokens else 0.0


def _sureness(tokens: Sequence[JointToken]) -> float:
    """The mean probability of a token."""
    return sum(token.probability for token in tokens) / len(tokens) if tokens else 0.0
