"""Splits a stream of text into what a model thinks (between <think> tags) and what it answers."""

from typing import Literal

Part = tuple[Literal["think", "answer"], str]

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Fed with pieces cut anywhere; a piece that may be the beginning of a tag waits for the next one.

    A thought is recognised at the very start of an answer only: later on the tags are text that somebody asked about.
    """

    def __init__(self) -> None:
        self._waiting = ""
        self._state: Literal["start", "think", "gap", "answer"] = "start"

    def feed(self, text: str) -> list[Part]:
        """The parts that are certain now."""
        self._waiting += text
        found: list[Part] = []
        while (part := self._next()) is not None:
            if part[1]:
                found.append(part)
        return found

    def finish(self) -> list[Part]:
        """What still waited."""
        rest, self._waiting = self._waiting, ""
        return [("think" if self._state == "think" else "answer", rest)] if rest else []

    def _next(self) -> Part | None:
        """One step; None when nothing can be said before more has come."""
        if not self._waiting:
            return None
        if self._state == "start":
            return self._start()
        if self._state == "think":
            return self._think()
        if self._state == "gap":
            self._waiting = self._waiting.lstrip()
            if not self._waiting:
                return None
            self._state = "answer"
        text, self._waiting = self._waiting, ""
        return ("answer", text)

    def _start(self) -> Part | None:
        begun = self._waiting.lstrip()
        if begun.startswith(_OPEN):
            self._waiting = begun[len(_OPEN) :].lstrip("\n")
            self._state = "think"
            return ("think", "")
        if _OPEN.startswith(begun):
            return None
        self._state = "answer"
        return ("answer", "")

    def _think(self) -> Part | None:
        thought, end, rest = self._waiting.partition(_CLOSE)
        if end:
            self._waiting, self._state = rest, "gap"
            return ("think", thought)
        kept = next((n for n in range(len(_CLOSE) - 1, 0, -1) if self._waiting.endswith(_CLOSE[:n])), 0)
        cut = len(self._waiting) - kept
        if not cut:
            return None
        text, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return ("think", text)


def split(text: str) -> tuple[str, str]:
    """Thought and answer of a finished text."""
    splitter = ThinkSplitter()
    parts = [*splitter.feed(text), *splitter.finish()]
    thought = "".join(part for kind, part in parts if kind == "think")
    return thought.strip(), "".join(part for kind, part in parts if kind == "answer")
