"""One member of an answer written together: its own tokens of the common text, and its KV cache, kept step by step."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from codette_desktop.domain.errors import EngineFailure
from codette_desktop.inference.llama.context import Context, Feed, Logits
from codette_desktop.inference.llama.joint.table import ByteTable
from codette_desktop.inference.llama.slots import Slots
from codette_desktop.inference.llama.vocabulary import Tokens


class Interrupted(Exception):
    """A decode was stopped; what was decoded before it stands."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a member reads a piece of text that follows its own: its tokens, and where each begins, in bytes.

    The first begins before 0 where it takes up the end of what was said: `instead` counts the tokens that it replaces.
    """

    tokens: list[int]
    starts: list[int]
    instead: int = 0


class Writer:
    """A member's sequence. The decoder's thread alone, but for making it.

    `tokens` is the prompt and what has been said, `ends` where each token of the answer ends in the common text, in
    bytes. What of them is not in the KV cache yet is decoded with the next score. `decoded` counts the tokens that its
    model computed, in `computing_s` seconds.
    """

    def __init__(self, place: int, context: Context, slots: Slots, prompt: Tokens, table: ByteTable) -> None:
        self.place = place
        self.context = context
        self.table = table
        self.decoded = 0
        self.computing_s = 0.0
        self.rewinds = True  # until it turns out that the model cannot go back
        self._slots = slots
        self._prompt = prompt
        self.tokens: list[int] = prompt.tolist()
        self.ends: list[int] = []
        self._unchanged = len(self.tokens)  # so many are as they were when the KV cache was last brought in line
        self._sequence = -1

    # Its place in the context

    def sit(self) -> bool:
        """Have a sequence; False while all are in use."""
        found = self._slots.take(self._prompt)
        if found is None:
            return False
        self._sequence = found[0]
        return True

    def leave(self) -> None:
        """Give the sequence back. May be called twice."""
        if self._sequence >= 0:
            self._slots.give_back(self._sequence)
        self._sequence = -1

    def make_room(self) -> bool:
        """Free cells of what nobody writes in; False where there are none."""
        return self._slots.make_room()

    @property
    def in_use(self) -> int:
        """How many answers, this one among them, are being written in its context."""
        return self._slots.in_use

    @property
    def most_scores(self) -> int:
        """For how many tokens of one decode logits can be had."""
        return len(self.context.tokens)

    def has_no_room_for(self, reading: Reading) -> bool:
        """Whether its context would be full."""
        return len(self.tokens) + len(reading.tokens) >= self.context.length

    # Its text

    @property
    def said(self) -> int:
        """The bytes of the common text that its tokens stand for."""
        return self.ends[-1] if self.ends else 0

    def read(self, text: bytes, *, heal: bool = True) -> Reading | None:
        """How it would read `text` after what it has said; None where it cannot. `heal` lets it take back a token."""
        last = self.tokens[-1] if self.ends else -1
        before = self.table.pieces[last] if last >= 0 else b""
        if heal and before and (again := self._read_again(last, before, text)) is not None:
            return again
        tokens = self.table.encode(text) if text else []
        return None if tokens is None else Reading(tokens, self._starts(tokens, 0))

    def _read_again(self, last: int, before: bytes, text: bytes) -> Reading | None:
        """Its last token and `text` as one: " Un" and "ited" are rather " United"."""
        try:
            (before + text).decode()
        except UnicodeDecodeError:
            return None  # a character is not complete: tokens are taken as they come
        tokens = self.table.encode(before + text)
        if tokens is None:
            return None
        if tokens[0] == last:
            return Reading(tokens[1:], self._starts(tokens[1:], 0))
        return Reading(tokens, self._starts(tokens, -len(before)), instead=1) if self.rewinds else None

    def _starts(self, tokens: list[int], at: int) -> list[int]:
        starts: list[int] = []
        for token in tokens:
            starts.append(at)
            at += len(self.table.pieces[token])
        return starts

    def add(self, reading: Reading) -> None:
        """Say it."""
        for _ in range(reading.instead):
            self._take_back()
        for token in reading.tokens:
            self.ends.append(self.said + len(self.table.pieces[token]))
            self.tokens.append(token)

    def keep(self, text: bytes) -> None:
        """Go back to just `text` of the common text, with which it begins. Its last token may have to be another."""
        while self.said > len(text):
            self._take_back()
        if self.said < len(text):  # a token was taken up into one that is gone now
            tokens = self.table.encode(text[self.said :])
            if tokens is None:
                raise EngineFailure("A member has lost what was said.")
            self.add(Reading(tokens, []))

    def _take_back(self) -> None:
        self.ends.pop()
        self.tokens.pop()
        self._unchanged = min(self._unchanged, len(self.tokens))

    # Its opinion

    def read_prompt(self) -> bool:
        """Decode a part of the prompt; False when only its last token is left, which the first score decodes."""
        known = len(self.context.tokens[self._sequence])
        part = self.tokens[known : min(known + self.context.chunk, len(self._prompt) - 1)]
        if not part:
            return False
        self._decode(part, wanted=0)
        return True

    def score(self, count: int, stopped: Callable[[], bool], *, leaving: int = 0) -> list[Logits]:
        """The logits after each of the last `count` tokens of all it has, the first of these first, as copies.

        As many as `leaving` of the last tokens are left to be decoded later, and do not count. Raises Interrupted,
        EngineFailure; then it may be asked again.
        """
        last = len(self.tokens) - leaving
        first = last - count  # the token after which the first is wanted
        self._rewind(min(first, self._unchanged))
        found: list[Logits] = []
        while len(found) < count:
            if stopped():
                raise Interrupted
            known = len(self.context.tokens[self._sequence])
            if known < first:  # what nobody wants to hear of
                self._decode(self.tokens[known : min(first, known + self.context.chunk)], wanted=0)
                continue
            size = min(self.context.chunk, self.most_scores, last - known)
            self._decode(self.tokens[known : known + size], wanted=size)
            found += [self.context.logits(row).copy() for row in range(size)]
        return found

    def _rewind(self, length: int) -> None:
        known = len(self.context.tokens[self._sequence])
        if known > length and self.context.truncate(self._sequence, length) < length:
            self.rewinds = False
        self._unchanged = len(self.tokens)

    def _decode(self, tokens: list[int], *, wanted: int) -> None:
        began = time.perf_counter()
        try:
            if not self.context.decode([Feed(self._sequence, np.array(tokens, np.int32), wanted)]):
                raise Interrupted
            if wanted:
                self.context.logits(0)  # waits for the device
        finally:
            self.computing_s += time.perf_counter() - began
        self.decoded += len(tokens)
