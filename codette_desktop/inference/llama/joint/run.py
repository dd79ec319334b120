"""An answer that several models write together, from its prompts to its last token.

The leading member drafts a few tokens; each other member reads the draft in one decode. Kept is what nobody would say
otherwise. Where the leader is unsure, or somebody would say something else, all of them decide on the next piece
together (Yun et al. 2025, "SAFE"), at a place where a token ends for each of them.
"""

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.errors import Cancelled, CodetteError, EngineFailure, UnsupportedModel
from codette_desktop.domain.joint import JointBegun, JointEnd, JointPart, JointToken
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.llama.joint.drafting import (
    FIRST_DRAFT,
    SURE,
    Draft,
    Opinion,
    next_length,
    objection,
    where_to_cut,
)
from codette_desktop.inference.llama.joint.fusing import choose, fuse
from codette_desktop.inference.llama.joint.panel import NobodyLeft, Panel, Send
from codette_desktop.inference.llama.joint.table import END
from codette_desktop.inference.llama.joint.writer import Interrupted, Reading, Writer
from codette_desktop.inference.llama.text import AnswerText


class JointRun:
    """Stepped by the decoder: see `Work`. When `ended` is done nothing of it is used any more.

    `writers` come with their weights by place. What it has to say goes to `send`, last `JointEnd` or an error.
    """

    def __init__(
        self,
        writers: Sequence[Writer],
        weights: Sequence[float],
        sampling: Sampling,
        stops: Sequence[str],
        room: int,
        send: Send,
        *,
        gated: bool = True,
        takes_part: Callable[[int], bool] = lambda _place: True,
        on_engine_failure: Callable[[Writer, Exception], object] = lambda _writer, _error: None,
    ) -> None:
        self.ended: Future[None] = Future()
        self._panel = Panel(writers, weights, send, takes_part, on_engine_failure)
        self._weights = weights
        self._sampling = sampling
        self._send = send
        self._gated = gated
        self._text = AnswerText((*sampling.stop, *stops))
        self._room = min(sampling.max_tokens or room, room)
        self._draw = random.Random(sampling.seed).random  # noqa: S311 - no secret hangs on it
        self._started = time.perf_counter()
        self._first_at = 0.0
        self._own_s = 0.0
        self._said = b""
        self._tokens = self._fused = 0
        self._draft_length = FIRST_DRAFT

    # As the decoder sees it

    @property
    def busy(self) -> bool:
        """Whether there is something left to do."""
        return not self.ended.done()

    def step(self) -> None:
        """A part of a prompt, or a draft and what the others say of it."""
        panel = self._panel
        if not self.busy:
            return
        if panel.cancelled:
            self.cancel_all()
            return
        began, computed, writing = time.perf_counter(), panel.computing_s, panel.ready
        try:
            self._step()
        except Interrupted:
            pass  # cancelled, or another's decode was meant: once more
        except NobodyLeft as left:
            self._end_without(left.error)
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            self.fail_all(error)
        if writing:
            self._own_s += time.perf_counter() - began - (panel.computing_s - computed)

    def cancel(self) -> None:
        """Have it end within some milliseconds. Any thread."""
        self._panel.cancel()

    def abort(self) -> None:
        """Make the decode in progress stop. Any thread."""
        self._panel.abort()

    def fail_all(self, error: Exception) -> None:
        """End it with `error`."""
        if self.busy:
            wrapped = error if isinstance(error, CodetteError) else EngineFailure(f"The engine failed: {error}")
            self._end_with(wrapped)

    def cancel_all(self) -> None:
        """End it as cancelled: with what was written, or before it began."""
        if self.busy:
            self._end_without(Cancelled("It was cancelled before it began."))

    def _end_without(self, error: CodetteError) -> None:
        """Nobody is left: what was written stays, where the person stopped the last one."""
        if self._panel.ready and isinstance(error, Cancelled):
            self._finish(FinishReason.CANCELLED)
        else:
            self._end_with(error)

    def _end_with(self, part: JointPart | Exception) -> None:
        self._panel.leave()
        self._send(part)
        self.ended.set_result(None)

    def _step(self) -> None:
        panel = self._panel
        panel.gather()
        if not panel.seated:
            panel.sit()
        elif not panel.ready:
            panel.read_prompts()
            if panel.ready:
                tables = {writer.table.fingerprint for writer in panel.writers}
                self._send(JointBegun(panel.leader.place, len(tables) == 1))
        else:
            self._round()

    # Writing

    def _round(self) -> None:
        try:
            self._write()
        except Interrupted:
            for writer in self._panel.writers:
                writer.keep(self._said)
            raise

    def _write(self) -> None:
        leader = self._panel.leader
        draft = self._draft(leader)
        if draft is None:
            return
        opinions = [
            found
            for other in self._panel.writers[1:]
            if self.busy and (found := self._opinion(other, draft)) is not None
        ]
        if not self.busy:
            return
        cut = where_to_cut(draft, opinions)
        if cut is None and any(one.objects_at is not None for one in opinions):
            # Somebody took up the end of what was said, so that no token begins for all: as it was, then.
            opinions = [found for one in opinions if (found := self._unhealed(one, draft)) is not None]
            cut = where_to_cut(draft, opinions)
        kept = len(draft.text) if cut is None else cut
        self._draft_length = next_length(self._draft_length, draft, cut)
        if not self._say_drafted(draft, kept, [opinion.writer for opinion in opinions]):
            return
        for writer in self._panel.writers:
            writer.keep(self._said)
        if cut is not None:
            self._say_fused(leader, draft, opinions, cut)
        elif draft.ends:
            self._finish(FinishReason.STOP)

    def _draft(self, leader: Writer) -> Draft | None:
        draft = Draft()
        alone = len(self._panel.writers) == 1
        longest = self._draft_length if leader.rewinds and not alone else 1
        if not self._gated:
            longest = 0
        while len(draft.starts) < max(1, longest):
            if leader.has_no_room_for(Reading([0], [0])):
                if not draft.starts:
                    self._finish(FinishReason.LENGTH)
                    return None
                break
            rows = self._panel.scores(leader, 1)
            if rows is None:
                return None
            piece = rows[0].first
            draft.rows.append(rows[0])
            draft.unsure = longest == 0 or rows[0].sure < SURE or (alone and self._sampling.temperature > 0)
            draft.ends = piece == END and not draft.unsure
            if draft.unsure or draft.ends:
                break
            draft.starts.append(len(draft.text))
            draft.text += piece
            token = leader.table.ids[piece]
            draft.tokens.append(token)
            leader.add(Reading([token], [0]))
        return draft

    def _reading(self, writer: Writer, draft: Draft, *, heal: bool) -> Reading | None:
        if not draft.text:
            return Reading([], [])
        if writer.table.fingerprint == self._panel.leader.table.fingerprint:
            return Reading(draft.tokens, draft.starts)
        return writer.read(draft.text, heal=heal)

    def _unhealed(self, opinion: Opinion, draft: Draft) -> Opinion | None:
        if min(opinion.rows) >= 0:
            return opinion
        opinion.writer.keep(self._said)
        return self._opinion(opinion.writer, draft, heal=False)

    def _opinion(self, writer: Writer, draft: Draft, *, heal: bool = True) -> Opinion | None:
        reading = self._reading(writer, draft, heal=heal)
        if reading is None:
            self._panel.drop(writer, _cannot_follow())
            return None
        if writer.has_no_room_for(reading):
            self._finish(FinishReason.LENGTH)
            return None
        writer.add(reading)
        whole = len(draft.rows) > len(draft.starts)  # what it would say after the draft is wanted too
        starts = [*reading.starts, len(draft.text)] if whole else reading.starts
        # The last token of a draft that was not cut short is left for the next round.
        rows = self._panel.scores(writer, len(starts), leaving=0 if whole else 1)
        if rows is None:
            return None
        at = dict(zip(starts, rows, strict=True))
        return Opinion(writer, at, objection(writer, draft, reading, at, self._said))

    def _say_drafted(self, draft: Draft, kept: int, others: Sequence[Writer]) -> bool:
        """Say the draft up to `kept`; False where that ended the answer."""
        places = tuple(sorted({self._panel.leader.place, *(writer.place for writer in others)}))
        bounds = [*draft.starts, len(draft.text)]
        for at, start in enumerate(draft.starts):
            if start >= kept:
                break
            piece = draft.text[start : bounds[at + 1]]
            if not self._say(piece, draft.rows[at].sure, places, len(places), fused=False):
                return False
        return True

    def _say_fused(self, leader: Writer, draft: Draft, opinions: Sequence[Opinion], cut: int) -> None:
        row = draft.starts.index(cut) if cut in draft.starts else len(draft.starts)
        asked = [(leader, draft.rows[row]), *((one.writer, one.rows[cut]) for one in opinions if cut in one.rows)]
        asked = [(writer, scores) for writer, scores in asked if writer in self._panel.writers]
        weights = [self._weights[writer.place] for writer, _scores in asked]
        fused = fuse([scores for _writer, scores in asked], weights, self._sampling.temperature)
        at = choose(fused, self._sampling.temperature, self._draw())
        piece, probability = fused.candidates[at], float(fused.probabilities[at])
        deciders = [writer.place for writer, scores in asked if scores.first == piece]
        self._fused += 1
        if piece == END:
            self._finish(FinishReason.STOP)
            return
        for writer in tuple(self._panel.writers):
            if not self.busy:
                return
            token = writer.table.ids.get(piece)  # the one whose probability it told: no other reading is looked for
            reading = Reading([token], [0]) if token is not None else writer.read(piece)
            if reading is None:
                self._panel.drop(writer, _cannot_follow())
            elif writer.has_no_room_for(reading):
                self._finish(FinishReason.LENGTH)
            else:
                writer.add(reading)
        if self.busy:
            self._say(piece, probability, tuple(sorted(deciders)), len(asked), fused=True)

    def _say(self, piece: bytes, probability: float, deciders: tuple[int, ...], asked: int, *, fused: bool) -> bool:
        """One token more; False where that ended the answer."""
        self._said += piece
        self._tokens += 1
        self._first_at = self._first_at or time.perf_counter()
        if text := self._text.feed(piece):
            self._send(JointToken(text, probability, deciders, asked, fused))
        if self._text.stopped:
            self._finish(FinishReason.STOP)
        elif self._tokens >= self._room:
            self._finish(FinishReason.LENGTH)
        return self.busy

    def _finish(self, reason: FinishReason) -> None:
        if rest := self._text.finish():
            self._send(JointToken(rest, 1.0, ()))
        now = time.perf_counter()
        self._end_with(
            JointEnd(
                reason,
                self._tokens,
                self._fused,
                1000 * (self._first_at - self._started) if self._first_at else 0.0,
                1000 * (now - self._started),
                1000 * self._own_s,
                tuple(writer.decoded for writer in self._panel.everybody),
            )
        )


def _cannot_follow() -> UnsupportedModel:
    return UnsupportedModel("Its vocabulary cannot say what the others said.")
