"""An answer as the cache keeps it: as bytes in the store, and as what is streamed to whoever asks again."""

import json
import zlib
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from codette_desktop.domain.answers import (
    AnswerEnd,
    AnswerFigures,
    AnswerPart,
    Confidence,
    ContextUse,
    FinishReason,
    PromptRead,
    TextChunk,
)
from codette_desktop.store.responses import KeptResponse

# Of an answer of 600 characters (987 bytes) level 1 leaves 580 and level 6 leaves 568; it takes 25 µs to write and 7 µs
# to read, and a checksum comes with it.
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """A whole answer; `end` holds the figures of its first writing."""

    text: str
    end: AnswerEnd
    created_at: datetime

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        return 1_000 + 2 * len(self.text)

    def prompt_read(self) -> PromptRead:
        """The first part: nothing of the prompt had to be read."""
        end = self.end
        return PromptRead(end.use, 0, end.seed, end.model_hash, end.engine_build, end.device)

    def chunk(self) -> TextChunk:
        """All of the text."""
        return TextChunk(self.text, self.end.figures.completion_tokens)

    def ended(self, model: str, label: str, first_ms: float, total_ms: float) -> AnswerEnd:
        """The last part, with the times of this delivery; the model's names are those it has now."""
        figures = AnswerFigures(
            prompt_tokens=self.end.figures.prompt_tokens,
            completion_tokens=self.end.figures.completion_tokens,
            time_to_first_token_ms=first_ms,
            tokens_per_second=0.0,
            total_ms=total_ms,
            cached=True,
            first_written_s=self.created_at.timestamp(),
        )
        return replace(self.end, figures=figures, model=model, model_label=label)


def whole_answer(parts: list[AnswerPart]) -> KeptAnswer | None:
    """What may be kept of a stream: an answer that its model ended. None for any other."""
    end = parts[-1] if parts else None
    if not isinstance(end, AnswerEnd) or end.reason is not FinishReason.STOP:
        return None
    text = "".join(part.text for part in parts if isinstance(part, TextChunk))
    return KeptAnswer(text, end, datetime.now(UTC))


def encode(key: bytes, answer: KeptAnswer) -> KeptResponse:
    """For the store."""
    data = {"text": answer.text, "end": asdict(answer.end)}
    payload = zlib.compress(json.dumps(data, separators=(",", ":")).encode("ascii"), _LEVEL)
    return KeptResponse(key, answer.end.model, answer.created_at, payload)


def decode(kept: KeptResponse) -> KeptAnswer:
    """The inverse. Raises ValueError for what was not written by `encode`."""
    try:
        data: dict[str, Any] = json.loads(zlib.decompress(kept.payload))
        end: dict[str, Any] = data["end"]
        built: dict[str, Any] = {
            **end,
            "reason": FinishReason(end["reason"]),
            "figures": AnswerFigures(**end["figures"]),
            "use": ContextUse(**end["use"]),
            "confidence": Confidence(**end["confidence"]) if end.get("confidence") else None,
        }
        return KeptAnswer("".join([data["text"]]), AnswerEnd(**built), kept.created_at)
    except (zlib.error, KeyError, TypeError) as error:
        raise ValueError("not a kept answer") from error
