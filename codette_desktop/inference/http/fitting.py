"""Which messages are sent, and the account of how they fill the context, where somebody else writes the prompt."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from codette_desktop.domain.answers import ContextUse
from codette_desktop.domain.messages import Message
from codette_desktop.domain.requests import ChatRequest
from codette_desktop.inference.turns import DEFAULT_ROOM_TOKENS, join, parts, split_turns, too_long

MESSAGE_TOKENS = 6  # markup around each message
# A token holds between one and eight bytes of nearly every text; that there are fewer tokens than the least, or that a
# text fits which takes more than the context even so, needs no doubt.
LEAST_PER_BYTE = 1 / 8.5
USUAL_PER_BYTE = 0.3
_MOST_PER_BYTE = 1.2
_READ_SHARE = 0.6
_LEARNING = 0.5

Count = Callable[[Sequence[Message]], Awaitable[int]]


class Reckoner:
    """Reckons tokens from the lengths of texts; learns from each prompt whose tokens a server has told."""

    def __init__(self) -> None:
        self._per_byte = USUAL_PER_BYTE
        self._learnt = False

    async def count(self, messages: Sequence[Message]) -> int:
        """About how many tokens these messages take."""
        return MESSAGE_TOKENS * len(messages) + round(self._per_byte * _bytes(messages))

    def learn(self, messages: Sequence[Message], tokens: int) -> None:
        """These messages took that many tokens."""
        length = _bytes(messages)
        if length < 40:
            return  # mostly markup
        seen = (tokens - MESSAGE_TOKENS * len(messages)) / length
        seen = min(max(seen, LEAST_PER_BYTE), _MOST_PER_BYTE)
        self._per_byte += (_LEARNING if self._learnt else 1.0) * (seen - self._per_byte)
        self._learnt = True

    def least(self, messages: Sequence[Message]) -> int:
        """Fewer tokens than this the messages do not take; nearer to the truth once something was learnt."""
        per_byte = max(LEAST_PER_BYTE, _READ_SHARE * self._per_byte) if self._learnt else LEAST_PER_BYTE
        return round(per_byte * _bytes(messages))


async def fit(
    request: ChatRequest, length: int, count: Count, *, reckoner: Reckoner, exact: bool
) -> tuple[list[Message], ContextUse]:
    """The messages to send, with as much of the history as fits `length` tokens, and their account.

    As in this process: room for the answer is kept (`max_tokens` or 256, at most a quarter), whole turns are left out,
    oldest first; never the system message and never the question. Raises PromptTooLong where these do not fit, and
    InvalidRequest where there is no question. `count` is the server's own counting where `exact`; where it is not, only
    what cannot possibly fit is refused, and the server has the last word.
    """
    system, history, question = parts(request.messages)
    room = min(request.sampling.max_tokens or DEFAULT_ROOM_TOKENS, max(1, length // 4))
    most = length - room
    turns = split_turns(history)
    if reckoner.least([*system, question]) > length:
        total = await reckoner.count([*system, question])
        raise too_long(total, length, room, bool(system), about=True)
    left_out = await _guess(system, turns, question, most, reckoner)
    total = await count([*system, *join(turns[left_out:]), question])
    while total > most and left_out < len(turns):
        left_out += 1
        total = await count([*system, *join(turns[left_out:]), question])
    if exact:
        while left_out and (more := await count([*system, *join(turns[left_out - 1 :]), question])) <= most:
            left_out, total = left_out - 1, more
        if total > most:
            raise too_long(total, length, room, bool(system))
    kept = join(turns[left_out:])
    without_system = await count([*kept, question]) if system else total
    alone = await count([question]) if kept else without_system
    history_tokens = max(0, without_system - alone)
    system_tokens = min(max(0, total - without_system), total - history_tokens)
    use = ContextUse(
        length,
        system_tokens,
        history_tokens,
        total - history_tokens - system_tokens,
        left_out_messages=sum(len(turn) for turn in turns[:left_out]),
        estimated=not exact,
    )
    return [*system, *kept, question], use


def settled(use: ContextUse, told: int) -> ContextUse:
    """The account after the server has told how many tokens the prompt took: no estimate any more as a whole."""
    if told <= 0 or told == use.prompt:
        return use
    share = told / use.prompt if use.prompt else 0.0
    system, history = round(use.system * share), round(use.history * share)
    return replace(use, system=system, history=history, question=max(0, told - system - history))


async def _guess(
    system: list[Message], turns: list[list[Message]], question: Message, most: int, reckoner: Reckoner
) -> int:
    """How many turns must probably go, without asking the server for each."""
    total = await reckoner.count([*system, question])
    for index in range(len(turns) - 1, -1, -1):
        total += await reckoner.count(turns[index])
        if total > most:
            return index + 1
    return 0


def _bytes(messages: Sequence[Message]) -> int:
    return sum(len(message.content.encode("utf-8", "replace")) for message in messages)
