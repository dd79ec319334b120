"""Which sequence of a context a prompt is read into, so that as little as possible of it is read again.

What answers that have ended have left is kept outside the context (spilled), and copied back for prompts that begin so.
"""

import time
from dataclasses import dataclass

import numpy as np
import psutil

from codette_desktop.inference.llama.context import Context
from codette_desktop.inference.llama.kv_file import State
from codette_desktop.inference.llama.spill import LEAST_SPILL_BYTES, WORTH_KEEPING, Below, Spill, common
from codette_desktop.inference.llama.vocabulary import Tokens

_SPILL_SHARE = 0.1  # of the memory that is free when the context is made


@dataclass(slots=True)
class Slot:
    """One sequence: in use by an answer, or idle with what the last one left in memory. Times in s since 1970."""

    number: int
    active: bool = False
    used_at: float = 0.0


class Slots:
    """The sequences of one context. Prefixes are found among those in use, the idle ones, and the spilled ones."""

    def __init__(self, context: Context, below: Below | None = None) -> None:
        self._context = context
        self._slots = [Slot(number) for number in range(len(context.tokens))]
        self.spill = Spill(max(LEAST_SPILL_BYTES, int(psutil.virtual_memory().available * _SPILL_SHARE)), below)

    @property
    def last_tokens(self) -> int:
        """Tokens of the sequence used last."""
        return len(self._context.tokens[max(self._slots, key=lambda slot: slot.used_at).number])

    @property
    def in_use(self) -> int:
        """How many sequences an answer is being written in."""
        return sum(slot.active for slot in self._slots)

    def fetch(self, prompt: Tokens) -> None:
        """Bring back from disk what `prompt` begins with, where that is not in memory. Not on the decoder's thread."""
        if self.spill.below is not None:
            copies = [tokens[: len(prompt)] for tokens in self._context.tokens]  # they change meanwhile
            self.spill.fetch(prompt, max(common(np.array(tokens, np.int32), prompt) for tokens in copies))

    def flush(self) -> None:
        """Have what is worth keeping written to disk, what was used last first; nothing is being answered any more."""
        if self.spill.below is None:
            return
        tokens = self._context.tokens
        for slot in sorted(self._slots, key=lambda slot: -slot.used_at):
            if len(tokens[slot.number]) >= WORTH_KEEPING:
                state = self._context.save(slot.number, self.spill.most_bytes)
                self.spill.below.put(np.array(tokens[slot.number], np.int32), state, slot.used_at)
        self.spill.flush()

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
        if spilled is not None and spilled[0] >= length + WORTH_KEEPING:
            chosen, reused = self._restore(idle, *spilled)
        elif not best.active and not self._would_lose(best, length):
            chosen, reused = best, context.truncate(best.number, length)
        elif length >= WORTH_KEEPING and (others := [slot for slot in idle if slot is not best]):
            chosen = self._evict(others)
            reused = context.copy(best.number, chosen.number, length)
        else:
            chosen = self._evict(idle)
            reused = context.truncate(chosen.number, lengths[chosen.number] if chosen is best else 0)
        chosen.active, chosen.used_at = True, time.time()
        self._spill_idle()
        return chosen.number, reused

    def _spill_idle(self) -> None:
        """Attention looks at every cell in use, whosever it is: 1,200 of idle sequences made each token 10 % slower."""
        while self.make_room():
            pass

    def give_back(self, number: int) -> None:
        """The answer in this sequence has ended; what it left may serve the next."""
        self._slots[number].active = False
        self._slots[number].used_at = time.time()

    def make_room(self) -> bool:
        """Free the cells of the idle sequence that was used longest ago; False when none holds any."""
        holding = [slot for slot in self._slots if not slot.active and self._context.tokens[slot.number]]
        if not holding:
            return False
        self._context.truncate(self._evict(holding).number, 0)
        return True

    def _restore(self, idle: list[Slot], length: int, tokens: Tokens, state: State) -> tuple[Slot, int]:
        slot = self._evict(idle)
        while not self._context.restore(slot.number, state, tokens.tolist()):
            if not self.make_room():
                return slot, 0
        return slot, self._context.truncate(slot.number, length)

    def _would_lose(self, slot: Slot, length: int) -> bool:
        """Whether cutting an idle sequence to `length` would forget more than it would keep."""
        known = len(self._context.tokens[slot.number])
        return known - length >= max(WORTH_KEEPING, length)

    def _evict(self, idle: list[Slot]) -> Slot:
        """An empty sequence, or the one used longest ago, whose tokens are spilled."""
        tokens = self._context.tokens
        slot = min(idle, key=lambda slot: (bool(tokens[slot.number]), slot.used_at))
        known = tokens[slot.number]
        if len(known) >= WORTH_KEEPING:
            self.spill.put(
                np.array(known, np.int32), self._context.save(slot.number, self.spill.most_bytes), slot.used_at
            )
        return slot
