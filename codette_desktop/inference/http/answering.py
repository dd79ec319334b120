"""One answer as it comes in: text up to a stop string, tokens, times, and the figures at its end."""

import time
from dataclasses import dataclass, field

from codette_desktop.domain.answers import AnswerEnd, AnswerFigures, ContextUse, FinishReason, TextChunk
from codette_desktop.domain.messages import Message
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.confidence import ConfidenceMeter
from codette_desktop.inference.http.dialect import Delta, Details
from codette_desktop.inference.http.fitting import settled
from codette_desktop.inference.llama.text import StopFilter

_OPEN, _CLOSE = "<think>\n", "\n</think>\n\n"


@dataclass(slots=True)
class Incoming:
    """Fed with deltas, gives the chunks to show; `end` tells what is known when it has ended.

    Servers keep to stop strings and lengths by themselves, most of them; what goes beyond is cut off here. A chunk may
    hold several tokens: each counts as one, and the rest is made up when the server tells the true number.
    """

    sampling: Sampling
    messages: list[Message]
    use: ContextUse
    seed: int
    details: Details
    device: str
    asked_at: float = field(default_factory=time.perf_counter)
    scored: bool = False
    first_at: float = 0.0
    reason: FinishReason | None = None
    cut: bool = False
    prompt_tokens: int = 0
    load_ms: float = 0.0
    _last_at: float = 0.0
    _counted: int = 0
    _told: int = 0
    _reused: int = 0
    _decode_ms: float = 0.0
    _thinking: bool = False
    _bytes: int = 0
    _meter: ConfidenceMeter = field(default_factory=ConfidenceMeter)
    _stops: StopFilter = field(init=False)

    def __post_init__(self) -> None:
        self._stops = StopFilter(self.sampling.stop)

    def take(self, delta: Delta) -> TextChunk | None:
        """What is to be shown of it. Sets `cut` when nothing more is wanted."""
        self.prompt_tokens = delta.prompt_tokens or self.prompt_tokens
        self._told = delta.completion_tokens or self._told
        self._reused = delta.reused_tokens or self._reused
        self.load_ms = delta.load_ms or self.load_ms
        self._decode_ms = delta.decode_ms or self._decode_ms
        self.reason = delta.reason or self.reason
        for value in delta.log_probabilities if self.scored and not self.cut else ():
            self._meter.take(value)
        self._bytes += len((delta.text + delta.thought).encode("utf-8", "replace")) if self.scored else 0
        if not delta.text and not delta.thought:
            return None
        self._last_at = time.perf_counter()
        self.first_at = self.first_at or self._last_at
        if self._counted == self.sampling.max_tokens:
            self.reason, self.cut = FinishReason.LENGTH, True
            return None
        self._counted += 1
        text = self._marked(delta)
        if self._stops.stopped:
            self.reason, self.cut = FinishReason.STOP, True
        return TextChunk(text, 1)

    def rest(self) -> TextChunk | None:
        """What was held back, and the tokens that came several in a chunk."""
        text = "" if self._stops.stopped else self._stops.finish()
        if self._thinking:
            text, self._thinking = text + _CLOSE.rstrip(), False
        missing = 0 if self.cut else max(0, self._told - self._counted)
        self._counted += missing
        return TextChunk(text, missing) if text or missing else None

    def end(self, note: str) -> AnswerEnd:
        """The figures. The speed is the server's own where it tells one: it knows nothing of the network."""
        now = time.perf_counter()
        elapsed = self._decode_ms / 1000 or self._last_at - self.first_at
        steps = self._counted if self._decode_ms else self._counted - 1
        use = settled(self.use, self.prompt_tokens)
        model = self.details.model
        return AnswerEnd(
            reason=self.reason or FinishReason.STOP,
            figures=AnswerFigures(
                prompt_tokens=use.prompt,
                completion_tokens=self._counted,
                time_to_first_token_ms=(self.first_at - self.asked_at) * 1000 if self.first_at else 0.0,
                tokens_per_second=steps / elapsed if self._counted > 1 and elapsed > 0 else 0.0,
                total_ms=(now - self.asked_at) * 1000,
                load_ms=self.load_ms,
                reused_tokens=self._reused,
            ),
            use=use,
            seed=self.seed,
            model=model.name,
            model_label=model.label,
            model_hash=model.file_hash,
            engine_build=self.details.build,
            device=self.device,
            note=note,
            confidence=self._meter.result(self._bytes),
        )

    def _marked(self, delta: Delta) -> str:
        """Text as models of this computer write it: what the model thinks stands between <think> tags."""
        text = ""
        if delta.thought:
            text = delta.thought if self._thinking else _OPEN + delta.thought
            self._thinking = True
        if delta.text:
            text += _CLOSE if self._thinking else ""
            self._thinking = False
            text += self._stops.feed(delta.text)
        return text
