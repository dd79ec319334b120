"""Answers that models write together, noted in the log of requests: one row for all of them."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import Cancelled, CodetteError
from codette_desktop.domain.joint import JointBegun, JointEnd, JointPart, JointRequest, JointToken
from codette_desktop.domain.request_log import RequestRecord
from codette_desktop.domain.telemetry import Flight
from codette_desktop.inference.activity import Activity
from codette_desktop.inference.provider import JointProvider

log = logging.getLogger(__name__)


class ObservedJoint:
    """Passes what is written together on, and has it kept. `label` is a model's name as it is read."""

    def __init__(
        self,
        inner: JointProvider,
        activity: Activity,
        keep: Callable[[Sequence[RequestRecord], Flight | None], object],
        label: Callable[[str], str],
    ) -> None:
        self._inner = inner
        self._activity = activity
        self._keep = keep
        self._label = label

    async def write_together(self, request: JointRequest) -> AsyncGenerator[JointPart, None]:
        """See `JointProvider.write_together`."""
        at, started = time.time(), time.perf_counter()
        begun = False
        tokens = 0
        end: JointEnd | None = None
        reason, error = FinishReason.FAILED, None
        labels = asyncio.get_event_loop().run_in_executor(None, self._labels, request)
        self._activity.asked()
        try:
            async with aclosing(self._inner.write_together(request)) as parts:
                async for part in parts:
                    if isinstance(part, JointBegun) and not begun:
                        begun = True
                        self._activity.begun()
                    elif isinstance(part, JointToken):
                        tokens += 1
                        self._activity.wrote(1)
                    elif isinstance(part, JointEnd):
                        end, reason = part, part.reason
                    yield part
        except (Cancelled, asyncio.CancelledError, GeneratorExit):
            reason = end.reason if end else FinishReason.CANCELLED
            raise
        except CodetteError as failure:
            error = failure
            raise
        finally:
            self._activity.ended(begun=begun, failed=reason is FinishReason.FAILED)
            total_ms = 1000 * (time.perf_counter() - started)
            labels.add_done_callback(lambda done: self._note(request, at, total_ms, tokens, end, reason, error, done))

    def _labels(self, request: JointRequest) -> str:
        return " + ".join(self._label(one.model) for one in request.requests)

    def _note(
        self,
        request: JointRequest,
        at: float,
        total_ms: float,
        tokens: int,
        end: JointEnd | None,
        reason: FinishReason,
        error: CodetteError | None,
        labels: "asyncio.Future[str]",
    ) -> None:
        names = "+".join(one.model for one in request.requests)
        known = not labels.cancelled() and labels.exception() is None
        writing_s = (end.total_ms - end.first_token_ms) / 1000 if end else 0.0
        record = RequestRecord(
            id=uuid.uuid4().hex,
            at=at,
            model=names,
            model_label=labels.result() if known else names,
            purpose=request.requests[0].origin.purpose,
            reason=reason,
            error_type=type(error).__name__ if error else "",
            error=error.message if error else "",
            completion_tokens=end.tokens if end else tokens,
            time_to_first_token_ms=(end.first_token_ms or None) if end else None,
            tokens_per_second=(end.tokens - 1) / writing_s if end and writing_s > 0 and end.tokens > 1 else None,
            total_ms=total_ms,
        )
        try:
            self._keep([record], None)
        except Exception:
            log.exception("an answer written together could not be noted")
