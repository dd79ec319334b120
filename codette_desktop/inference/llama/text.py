"""From bytes to what may be shown: whole characters, and never anything past a stop string. Pure functions of state."""

import codecs
from collections.abc import Sequence


class StopFilter:
    """Lets text through until one of `stops` appears, and holds back only what may still become one.

    However the text is cut into pieces, the result is the same: the stop string that is complete first ends it (of two
    complete at once, the one that began first).
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._starts = frozenset(stop[0] for stop in stops)
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """What may be shown now that `text` has followed; "" once stopped."""
        if self.stopped:
            return ""
        if not self._held and self._starts.isdisjoint(text):
            return text  # nearly always, and the token that comes next waits for it
        buffer = self._held + text
        found = [(start + len(stop), start) for stop in self._stops if (start := buffer.find(stop)) >= 0]
        if found:
            self.stopped = True
            self._held = ""
            return buffer[: min(found)[1]]
        keep = max(_overlap(buffer, stop) for stop in self._stops)
        shown = len(buffer) - keep
        self._held = buffer[shown:]
        return buffer[:shown]

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that is a beginning of `stop`, but not all of it."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0


class AnswerText:
    """Bytes of tokens in, text to show out: characters are never split, bytes that are none become U+FFFD."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._filter = StopFilter(stops)

    @property
    def stopped(self) -> bool:
        """Whether a stop string was reached."""
        return self._filter.stopped

    def feed(self, piece: bytes) -> str:
        """What may be shown after `piece`."""
        text = self._decoder.decode(piece)
        return self._filter.feed(text) if text else ""

    def finish(self) -> str:
        """What is left at the end: text held back, and U+FFFD for an unfinished character."""
        rest = self._filter.feed(self._decoder.decode(b"", final=True))
        return rest if self._filter.stopped else rest + self._filter.finish()
