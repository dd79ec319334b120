"""Which sequence of a context a prompt is read into, so that as little as possible of it is read again.

What answers that have ended have left is kept outside the context (spilled), and copied back for prompts that begin so.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import psutil

from codette_desktop.inference.llama.context import Context
from codette_desktop.inference.llama.vocabulary import Tokens

LEAST_SPILL_BYTES = 256 * 2**20
_SPILL_SHARE = 0.1  # of the memory that is free when the context is made
_WORTH_KEEPING = 64  # tokens; reading fewer again costs less than keeping them


@dataclass(slots=True)
class Slot:
    """One sequence: in use by an answer, or idle with what the last one left in memory."""

    number: int
    active: bool = False
    used_at: float = 0.0


class Spill:
    """Sequences that left the context, in memory: the least recently used leave first. One thread."""

    def __init__(self, most_bytes: int = LEAST_SPILL_BYTES) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[bytes, tuple[Tokens, bytes]] = OrderedDict()
        self.size_bytes = 0

    def put(self, tokens: Tokens, state: bytes) -> None:
        """Keep a sequence; shorter ones that it begins with are not needed any more."""
        if not state or len(state) > self.most_bytes:
            return
        for key, (known, _) in list(self._kept.items()):
            if len(known) <= len(tokens) and np.array_equal(known, tokens[: len(known)]):
                self._drop(key)
        self._kept[tokens.tobytes()] = (tokens, state)
        self.size_bytes += len(state)
        while self.size_bytes > self.most_bytes:
            self._drop(next(iter(self._kept)))

    def best(self, prompt: Tokens) -> tuple[int, Tokens, bytes] | None:
        """The kept sequence with the longest prefix in common with `prompt`: that length, its tokens, its state."""
        lengths = {key: _common(tokens, prompt) for key, (tokens, _) in self._kept.items()}
        key = max(lengths, key=lambda key: lengths[key], default=b"")
        if not lengths.get(key):
            return None
        self._kept.move_to_end(key)
        return lengths[key], *self._kept[key]

    def _drop(self, key: bytes) -> None:
        self.size_bytes -= len(self._kept.pop(key)[1])


class Slots:
    """The sequences of one context. Prefixes are found among those in use, the idle ones, and the spilled ones."""

    def __init__(self, context: Context, spill: Spill | None = None) -> None:
        self._context = context
        self._slots = [Slot(number) for number in range(len(context.tokens))]
        self.spill = spill or Spill(max(LEAST_SPILL_BYTES, int(psutil.virtual_memory().available * _SPILL_SHARE)))

    @property
    def last_tokens(self) -> int:
        """Tokens of the sequence used last."""
        return len(self._context.tokens[max(self._slots, key=lambda slot: slot.used_at).number])

    def take(self, prompt: Tokens) -> tuple[int, int] | None:
        """A sequence for `prompt`, and how many of its tokens are in it already; None while all are in use."""
        idle = [slot for slot in self._slots if not slot.active]
        if not idle:
            return None
        context = self._context
        lengths = {slot.number: context.common(slot.number, prompt) for slot in self._slots}
        best = max(self._slots, key=lambda slot: (lengths[slot.number], not slot.active, slot.used_at))
        length = lengths[best.number]
        spilled = self.spill.best(prompt)
        if spilled is not None and spilled[0] >= length + _WORTH_KEEPING:
            chosen, reused = self._restore(idle, *spilled)
        elif not best.active and not self._would_lose(best, length):
            chosen, reused = best, context.truncate(best.number, length)
        elif length >= _WORTH_KEEPING and (others := [slot for slot in idle if slot is not best]):
            chosen = self._evict(others)
            reused = context.copy(best.number, chosen.number, length)
        else:
            chosen = self._evict(idle)
            reused = context.truncate(chosen.number, lengths[chosen.number] if chosen is best else 0)
        chosen.active, chosen.used_at = True, time.monotonic()
        self._spill_idle()
        return chosen.number, reused

    def _spill_idle(self) -> None:
        """Attention looks at every cell in use, whosever it is: 1,200 of idle sequences made each token 10 % slower."""
        while self.make_room():
            pass

    def give_back(self, number: int) -> None:
        """The answer in this sequence has ended; what it left may serve the next."""
        self._slots[number].active = False
        self._slots[number].used_at = time.monotonic()

    def make_room(self) -> bool:
        """Free the cells of the idle sequence that was used longest ago; False when none holds any."""
        holding = [slot for slot in self._slots if not slot.active and self._context.tokens[slot.number]]
        if not holding:
            return False
        self._context.truncate(self._evict(holding).number, 0)
        return True

    def _restore(self, idle: list[Slot], length: int, tokens: Tokens, state: bytes) -> tuple[Slot, int]:
        slot = self._evict(idle)
        while not self._context.restore(slot.number, state, tokens.tolist()):
            if not self.make_room():
                return slot, 0
        return slot, self._context.truncate(slot.number, length)

    def _would_lose(self, slot: Slot, length: int) -> bool:
        """Whether cutting an idle sequence to `length` would forget more than it would keep."""
        known = len(self._context.tokens[slot.number])
        return known - length >= max(_WORTH_KEEPING, length)

    def _evict(self, idle: list[Slot]) -> Slot:
        """An empty sequence, or the one used longest ago, whose tokens are spilled."""
        tokens = self._context.tokens
        slot = min(idle, key=lambda slot: (bool(tokens[slot.number]), slot.used_at))
        known = tokens[slot.number]
        if len(known) >= _WORTH_KEEPING:
            self.spill.put(np.array(known, np.int32), self._context.save(slot.number, self.spill.most_bytes))
        return slot


def _common(known: Tokens, prompt: Tokens) -> int:
    overlap = min(len(known), len(prompt) - 1)
    differs = np.flatnonzero(known[:overlap] != prompt[:overlap])
    return int(differs[0]) if len(differs) else overlap
