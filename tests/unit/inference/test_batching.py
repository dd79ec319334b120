"""Several answers in one context: each gets its own tokens, none waits for ever, little is read twice."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
import pytest

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.batching import Batch, Run
from codette_desktop.inference.llama.context import Context, Feed
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.slots import Slots
from codette_desktop.inference.llama.spill import Spill
from codette_desktop.inference.llama.vocabulary import Tokens


class Written(Run):
    """Writes `length` tokens greedily and remembers everything it heard."""

    def __init__(self, prompt: Tokens, length: int = 20) -> None:
        super().__init__()
        self.prompt = prompt
        self.length = length
        self.tokens: list[int] = []
        self.reused: list[int] = []
        self.error: Exception | None = None
        self.reason: FinishReason | None = None

    def begun(self, reused: int) -> None:
        self.reused.append(reused)

    def next(self, context: Context, row: int) -> int | None:
        self.tokens.append(int(context.logits(row).argmax()))
        return self.tokens[-1] if len(self.tokens) < self.length else None

    def finish(self, reason: FinishReason | None = None) -> None:
        self.reason = reason or FinishReason.STOP

    def fail(self, error: Exception) -> None:
        self.error = error


@pytest.fixture
def context(tiny: Model) -> Iterator[Context]:
    with closing(Context(tiny, EngineSettings(threads=1), 1024, sequences=4)) as opened:
        yield opened


def prompt_of(model: Model, words: str, times: int = 1) -> Tokens:
    return model.vocabulary.tokenise(words * times, special=False)


def run_all(batch: Batch, *runs: Run, most: int = 5_000) -> int:
    """Steps until all have ended; returns how many steps that took."""
    for run in runs:
        batch.add(run)
    for step in range(most):
        if not batch.busy:
            return step
        batch.step()
    raise AssertionError("it does not come to an end")


def alone(tiny: Model, prompt: Tokens, length: int = 20) -> list[int]:
    with closing(Context(tiny, EngineSettings(threads=1), 1024)) as context:
        run = Written(prompt, length)
        run_all(Batch(context, Slots(context)), run)
        return run.tokens


def test_answers_written_together_are_those_written_alone(tiny: Model, context: Context) -> None:
    prompts = [prompt_of(tiny, words, 12) for words in ("time of day ", "memory of a model ", "the seed ", "a layer ")]
    runs = [Written(prompt) for prompt in prompts]
    steps = run_all(Batch(context, Slots(context)), *runs)
    assert [run.tokens for run in runs] == [alone(tiny, prompt) for prompt in prompts]
    assert steps < 20 + 2 * len(runs)  # 80 tokens in little more steps than one answer has tokens


def test_a_request_joins_while_others_are_written_and_may_leave(tiny: Model, context: Context) -> None:
    batch = Batch(context, Slots(context))
    long, late, leaves = (Written(prompt_of(tiny, words), 60) for words in ("time of day", "memory", "a model of"))
    batch.add(long)
    for _ in range(10):
        batch.step()
    batch.add(late)
    batch.add(leaves)
    for _ in range(6):
        batch.step()
    leaves.cancel()
    assert run_all(batch) < 60
    assert (long.reason, late.reason, leaves.reason) == (FinishReason.STOP, FinishReason.STOP, FinishReason.CANCELLED)
    assert 0 < len(leaves.tokens) < 60
    assert long.tokens == alone(tiny, long.prompt, 60)
    assert late.tokens == alone(tiny, late.prompt, 60)


def test_the_same_prompt_is_read_once_for_all(tiny: Model, context: Context) -> None:
    prompt = prompt_of(tiny, "the time of day and the memory of a model ", 40)
    runs = [Written(prompt) for _ in range(4)]
    run_all(Batch(context, Slots(context)), *runs)
    assert [run.reused[0] for run in runs] == [0, *[len(prompt) - 1] * 3]
    assert len({tuple(run.tokens) for run in runs}) == 1


def test_more_answers_than_sequences_wait_their_turn(tiny: Model, context: Context) -> None:
    runs = [Written(prompt_of(tiny, f"{number} time of day {number}"), 5 + number) for number in range(11)]
    run_all(Batch(context, Slots(context)), *runs)
    assert [len(run.tokens) for run in runs] == [5 + number for number in range(11)]


def test_what_does_not_fit_together_takes_turns_and_loses_nothing(tiny: Model) -> None:
    with closing(Context(tiny, EngineSettings(threads=1), 256, sequences=4)) as small:
        prompts = [prompt_of(tiny, words, 20)[:90] for words in ("time of day ", "memory of ", "a model in ", "layer ")]
        runs = [Written(prompt, 80) for prompt in prompts]
        run_all(Batch(small, Slots(small)), *runs)
    assert [run.error for run in runs] == [None] * 4
    assert max(len(run.reused) for run in runs) > 1  # somebody had to wait in between
    assert [run.tokens for run in runs] == [alone(tiny, prompt, 80) for prompt in prompts]


def test_an_answer_too_long_for_the_context_is_told_so(tiny: Model) -> None:
    with closing(Context(tiny, EngineSettings(threads=1), 256, sequences=2)) as small:
        endless, short = Written(prompt_of(tiny, "time "), 400), Written(prompt_of(tiny, "memory "), 20)
        run_all(Batch(small, Slots(small)), endless, short)
        assert "is full" in str(endless.error)
        assert short.tokens == alone(tiny, short.prompt)


def test_an_answer_that_fails_takes_no_other_with_it(tiny: Model, context: Context) -> None:
    class Breaks(Written):
        def next(self, context: Context, row: int) -> int | None:
            raise ValueError("broken")

    broken, sound = Breaks(prompt_of(tiny, "time of day")), Written(prompt_of(tiny, "memory of a model"))
    run_all(Batch(context, Slots(context)), broken, sound)
    assert isinstance(broken.error, ValueError)
    assert sound.tokens == alone(tiny, sound.prompt)


def test_two_conversations_in_turn_keep_what_they_have_read(tiny: Model, context: Context) -> None:
    batch = Batch(context, Slots(context))
    first, second = prompt_of(tiny, "time of day ", 60), prompt_of(tiny, "memory of a model ", 40)
    run_all(batch, Written(first))
    run_all(batch, Written(second))
    again = [Written(np.concatenate([prompt, prompt_of(tiny, "and more")])) for prompt in (first, second)]
    for run in again:
        run_all(batch, run)
    assert [run.reused[0] for run in again] == [len(first), len(second)]


def test_a_conversation_that_had_to_leave_comes_back_without_being_read_again(tiny: Model) -> None:
    with closing(Context(tiny, EngineSettings(threads=1), 512, sequences=2)) as context:
        slots = Slots(context)
        batch = Batch(context, slots)
        prompts = [prompt_of(tiny, words, 80)[:300] for words in ("time of day ", "memory of a ", "a model in the ")]
        for prompt in prompts:
            run_all(batch, Written(prompt))
        assert slots.spill.size_bytes > 0
        back = Written(np.concatenate([prompts[0], prompt_of(tiny, "and more")]))
        run_all(batch, back)
        assert back.reused == [len(prompts[0])]
        assert back.tokens == alone(tiny, back.prompt)


def test_spilled_sequences_are_bounded_and_the_oldest_goes_first() -> None:
    spill = Spill(most_bytes=100)
    for start in (0, 100, 200):
        spill.put(np.arange(start, start + 70, dtype=np.int32), b"x" * 40)
    assert spill.size_bytes == 80
    assert spill.best(np.arange(0, 90, dtype=np.int32)) is None
    found = spill.best(np.arange(100, 150, dtype=np.int32))
    assert found is not None
    assert found[0] == 49
    spill.put(np.arange(100, 180, dtype=np.int32), b"y" * 40)  # the shorter one it begins with is not needed any more
    assert spill.size_bytes == 80
    spill.put(np.arange(0, 9, dtype=np.int32), b"z" * 101)
    assert spill.size_bytes == 80


def test_what_a_failed_decode_has_lost_is_read_again(tiny: Model, context: Context) -> None:
    """As with recurrent models, which cannot go back to where they were before a decode that was stopped."""
    batch = Batch(context, Slots(context))
    runs = [Written(prompt_of(tiny, words, 12), 30) for words in ("time of day ", "memory of a model ")]
    stopped = Written(prompt_of(tiny, "a layer ", 200), 30)
    for run in runs:
        batch.add(run)
    for _ in range(12):
        batch.step()
    batch.add(stopped)
    decode = context.decode

    def lose(feeds: Sequence[Feed]) -> bool:
        context.decode = decode  # type: ignore[method-assign]
        stopped.cancel()
        context.clear()
        return False

    context.decode = lose  # type: ignore[method-assign]
    run_all(batch)
    assert stopped.reason is FinishReason.CANCELLED
    assert [run.tokens for run in runs] == [
        alone(tiny, run_prompt, 30)
        for run_prompt in (prompt_of(tiny, "time of day ", 12), prompt_of(tiny, "memory of a model ", 12))
    ]


def test_a_prompt_that_cannot_be_begun_keeps_nobody_waiting(tiny: Model, context: Context) -> None:
    slots = Slots(context)
    batch, take = Batch(context, slots), slots.take

    def fail(prompt: Tokens) -> tuple[int, int] | None:
        slots.take = take  # type: ignore[method-assign]
        raise MemoryError("no memory")

    slots.take = fail  # type: ignore[method-assign]
    broken, sound = Written(prompt_of(tiny, "time of day")), Written(prompt_of(tiny, "memory"))
    run_all(batch, broken, sound)
    assert isinstance(broken.error, MemoryError)
    assert len(sound.tokens) == 20
