"""Answers that several models write together, token by token: what is asked, and what is streamed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.requests import ChatRequest


def _everybody(_place: int) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class JointRequest:
    """One request a member, in their order, each with its own system message; `weights` are relative to each other.

    The member with the largest weight leads: it drafts, and its sampling holds for the answer. `gated` has the others
    speak where it is unsure or they would say something else, else everybody decides on every token. `takes_part` is
    asked on the engine's thread whether the member at a place still does: the person may stop one.
    """

    requests: tuple[ChatRequest, ...]
    weights: tuple[float, ...]
    gated: bool = True
    takes_part: Callable[[int], bool] = _everybody


@dataclass(frozen=True, slots=True)
class JointToken:
    """A piece of an answer written together.

    `probability` is that of the members together, of a drafted piece that of the leader. `decided_by` are the places of
    the members whose own first choice it was, or who had nothing against the draft; () where no member alone would have
    said it.
    `asked` counts the members that were consulted for it. `fused` where their probabilities were put together for it.
    """

    text: str
    probability: float
    decided_by: tuple[int, ...]
    asked: int = 1
    fused: bool = False


@dataclass(frozen=True, slots=True)
class JointDropped:
    """Streamed: the member at `place` takes no part (any more); the others go on."""

    place: int
    error: CodetteError


@dataclass(frozen=True, slots=True)
class JointBegun:
    """Streamed when all prompts have been read. `lead` is the place of the member that drafts."""

    lead: int
    same_vocabulary: bool


@dataclass(frozen=True, slots=True)
class JointEnd:
    """Streamed last. Times in ms: `own_ms` is what was spent besides the models' own computing, all tokens together.

    `fused` counts the tokens for which probabilities were put together, among them the end; `decoded` what each model
    that wrote computed, in tokens, in their order.
    """

    reason: FinishReason
    tokens: int
    fused: int
    first_token_ms: float
    total_ms: float
    own_ms: float
    decoded: tuple[int, ...]


def without(request: JointRequest, left: Sequence[int]) -> JointRequest:
    """The request of the members at the places that are `left`."""

    def takes_part(place: int) -> bool:
        return request.takes_part(left[place])

    return replace(
        request,
        requests=tuple(request.requests[place] for place in left),
        weights=tuple(request.weights[place] for place in left),
        takes_part=takes_part,
    )


def at_places(part: "JointPart", places: Sequence[int]) -> "JointPart":
    """A part of an answer by members who stand at these `places` of a larger request."""
    if isinstance(part, JointToken):
        return replace(part, decided_by=tuple(places[at] for at in part.decided_by))
    if isinstance(part, JointDropped):
        return replace(part, place=places[part.place])
    return replace(part, lead=places[part.lead]) if isinstance(part, JointBegun) else part


JointPart = JointBegun | JointToken | JointDropped | JointEnd
