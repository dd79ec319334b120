"""What has been read of prompts, outside the context: in memory first, and from there on disk.

A sequence is its tokens and the keys and values the model has computed of them (`Context.save`).
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from codette_desktop.inference.llama.kv_file import State
from codette_desktop.inference.llama.vocabulary import Tokens

LEAST_SPILL_BYTES = 256 * 2**20
WORTH_KEEPING = 64  # tokens; reading fewer again costs less than keeping them


class Found(NamedTuple):
    """A sequence that has its first `length` tokens in common with a prompt."""

    length: int
    tokens: Tokens
    state: State


class Below(Protocol):
    """Where sequences go that leave memory, for one model as it is run now. Any thread; nothing is raised."""

    def put(self, tokens: Tokens, state: State, used_at: float) -> None:
        """Keep a sequence last used at that time (seconds since 1970)."""
        ...

    def fetch(self, prompt: Tokens, least: int) -> Found | None:
        """The kept sequence with the longest prefix in common with `prompt`, if that is at least `least` tokens."""
        ...


@dataclass(slots=True)
class _Kept:
    tokens: Tokens
    state: State
    used_at: float
    is_below: bool = False  # kept there too


class Spill:
    """Sequences that left the context, in memory: the least recently used leave first, for `below`. Any thread."""

    def __init__(self, most_bytes: int = LEAST_SPILL_BYTES, below: Below | None = None) -> None:
        self.most_bytes = most_bytes
        self.size_bytes = 0
        self.below = below
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, tokens: Tokens, state: State, used_at: float = 0.0) -> None:
        """Keep a sequence; shorter ones that it begins with are not needed any more. 0: it was used just now."""
        self._keep(_Kept(tokens, state, used_at or time.time()))

    def best(self, prompt: Tokens) -> Found | None:
        """The kept sequence with the longest prefix in common with `prompt`."""
        with self._lock:
            lengths = {key: common(kept.tokens, prompt) for key, kept in self._kept.items()}
            key = max(lengths, key=lambda key: lengths[key], default=b"")
            if not lengths.get(key):
                return None
            self._kept.move_to_end(key)
            kept = self._kept[key]  # not its time: what is cleared must not be written again for being looked at
            return Found(lengths[key], kept.tokens, kept.state)

    def fetch(self, prompt: Tokens, known: int) -> None:
        """Bring up what lies below if it spares reading more than `known` tokens, which are elsewhere. Reads the disk.

        Not on the decoder's thread: the other answers would wait.
        """
        if self.below is None:
            return
        with self._lock:
            known = max([known, *(common(kept.tokens, prompt) for kept in self._kept.values())])
        found = self.below.fetch(prompt, known + WORTH_KEEPING)
        if found is not None:
            self._keep(_Kept(found.tokens, found.state, time.time(), is_below=True))

    def flush(self) -> None:
        """Hand everything to what lies below, what was used last first."""
        with self._lock:
            leaving = sorted(self._kept.values(), key=lambda kept: -kept.used_at)
            self._kept.clear()
            self.size_bytes = 0
        self._hand_down(leaving)

    def _keep(self, new: _Kept) -> None:
        if not new.state or len(new.state) > self.most_bytes:
            return
        leaving: list[_Kept] = []
        with self._lock:
            for key, kept in list(self._kept.items()):
                if len(kept.tokens) <= len(new.tokens) and np.array_equal(kept.tokens, new.tokens[: len(kept.tokens)]):
                    self._drop(key)
            self._kept[new.tokens.tobytes()] = new
            self.size_bytes += len(new.state)
            while self.size_bytes > self.most_bytes:
                leaving.append(self._drop(next(iter(self._kept))))
        self._hand_down(leaving)

    def _hand_down(self, leaving: list[_Kept]) -> None:
        for kept in leaving:
            if self.below is not None and not kept.is_below:
                self.below.put(kept.tokens, kept.state, kept.used_at)

    def _drop(self, key: bytes) -> _Kept:
        kept = self._kept.pop(key)
        self.size_bytes -= len(kept.state)
        return kept


def common(known: Tokens, prompt: Tokens) -> int:
    """Tokens of the longest common prefix, without the prompt's last: at least one is always decoded."""
    overlap = min(len(known), len(prompt) - 1)
    differs = np.flatnonzero(known[:overlap] != prompt[:overlap])
    return int(differs[0]) if len(differs) else max(0, overlap)
