"""Writing together step by step on real contexts, against the plain rule: one token at a time, nothing drafted."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.joint import JointEnd, JointPart, JointToken
from codette_desktop.domain.models import EngineSettings
from codette_desktop.domain.requests import Sampling
from codette_desktop.inference.llama.context import Context
from codette_desktop.inference.llama.joint import run as joint_run
from codette_desktop.inference.llama.joint.drafting import SURE, Draft, Opinion, where_to_cut
from codette_desktop.inference.llama.joint.fusing import Scores, choose, fuse
from codette_desktop.inference.llama.joint.run import JointRun
from codette_desktop.inference.llama.joint.table import END, ByteTable
from codette_desktop.inference.llama.joint.writer import Interrupted, Reading, Writer
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.slots import Slots
from tests.support.gguf_files import ModelShape, Tokenizer, weights_of, write_model
from tests.support.llama_server import STARTER

PROMPT = "the water is for you"
LENGTH = 512
SHARP = 14.0  # random weights are sure of nothing; times this they are sure of most tokens


def sharp_model(path: Path, *, noise: float = 0.0, tokenizer: Tokenizer = "gpt2", seed: int = 0) -> Path:
    """A model that is sure of most tokens; with `noise` it is like the one without, but says some things otherwise."""
    shape = ModelShape(tokenizer=tokenizer, seed=seed)
    output = dict(weights_of(shape))["output.weight"]
    moved = np.random.default_rng(7).normal(size=output.shape).astype(np.float32) * float(output.std()) * noise
    return write_model(path, shape, added={"output.weight": ((SHARP - 1) * output + SHARP * moved).astype(np.float32)})


@contextmanager
def opened(files: Sequence[Path]) -> Iterator[list[Context]]:
    """A context on each model."""
    models = [Model.load(file, EngineSettings()) for file in files]
    found = [Context(model, EngineSettings(threads=1), LENGTH, sequences=8) for model in models]
    yield found
    for context in found:
        context.close()
    for model in models:
        model.close()


@pytest.fixture
def contexts(tmp_path: Path) -> Iterator[list[Context]]:
    files = [
        sharp_model(tmp_path / "one.gguf"),
        sharp_model(tmp_path / "two.gguf", noise=0.35),
        sharp_model(tmp_path / "three.gguf", tokenizer="llama", seed=2),
    ]
    with opened(files) as found:
        yield found


@pytest.fixture
def trained() -> Iterator[list[Context]]:
    """The starter models, whose tokenizers differ, and which write words."""
    with opened([STARTER, STARTER.with_name("guide-m-q8_0.gguf")]) as found:
        yield found


def writers_of(contexts: Sequence[Context], prompt: str = PROMPT) -> list[Writer]:
    return [
        Writer(
            place,
            context,
            Slots(context),
            context.model.vocabulary.tokenise(prompt, special=False),
            ByteTable.of(context.model.vocabulary),
        )
        for place, context in enumerate(contexts)
    ]


class Written:
    """A run stepped to its end, with every part of it. After each step all members have said the same."""

    def __init__(self, writers: Sequence[Writer], sampling: Sampling, *, gated: bool = True) -> None:
        self.parts: list[JointPart | Exception] = []
        run = JointRun(writers, [0.5, 0.3, 0.2], sampling, (), LENGTH - 64, self.parts.append, gated=gated)
        while run.busy:
            run.step()
            for writer in writers:
                said = writer.table.joined(writer.tokens[len(writer.tokens) - len(writer.ends) :])
                assert said == run._said or not run.busy  # pyright: ignore[reportPrivateUsage]
                assert writer.said == len(said)
        end = self.parts[-1]
        assert isinstance(end, JointEnd), end
        self.end = end
        self.tokens = [part for part in self.parts if isinstance(part, JointToken)]
        self.text = "".join(token.text for token in self.tokens)


def plain_rule(contexts: Sequence[Context], sampling: Sampling, *, gated: bool) -> tuple[bytes, int]:
    """What they say together by the rule alone, for equal vocabularies; and how often it was decided together."""
    table = ByteTable.of(contexts[0].model.vocabulary)
    draw = random.Random(sampling.seed).random
    tokens = contexts[0].model.vocabulary.tokenise(PROMPT, special=False).tolist()
    said, fused = b"", 0
    for _ in range(sampling.max_tokens or 0):
        scores = [Scores(table, logits_after(context, tokens)) for context in contexts]
        first = [one.first for one in scores]
        if gated and scores[0].sure >= SURE and len(set(first)) == 1:
            piece = first[0]
        else:
            fused += 1
            found = fuse(scores, [0.5, 0.3, 0.2][: len(scores)], sampling.temperature)
            piece = found.candidates[choose(found, sampling.temperature, draw())]
        if piece == END:
            break
        said += piece
        tokens.append(table.ids[piece])
    return said, fused


def logits_after(context: Context, tokens: list[int]) -> np.ndarray:
    from codette_desktop.inference.llama.context import Feed

    last = len(context.tokens) - 1  # a sequence that nobody writes in
    known = context.common(last, np.array(tokens, np.int32))
    context.truncate(last, known)
    for token in tokens[known:]:
        assert context.decode([Feed(last, np.array([token], np.int32))])
    return context.logits().copy()


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_drafts_change_nothing_of_what_is_said(contexts: list[Context], gated: bool, temperature: float) -> None:
    sampling = Sampling(temperature=temperature, seed=5, max_tokens=120)
    expected, fused = plain_rule(contexts[:2], sampling, gated=gated)
    written = Written(writers_of(contexts[:2]), sampling, gated=gated)
    assert written.text == expected.decode("utf-8", "replace")
    assert written.end.fused == fused
    assert fused > 5
    if gated:
        assert fused < written.end.tokens - 5  # both ways were taken


def test_what_is_interrupted_is_done_again(contexts: list[Context], monkeypatch: pytest.MonkeyPatch) -> None:
    sampling = Sampling(temperature=0, max_tokens=120)
    expected = Written(writers_of(contexts), sampling)
    decode, calls = Writer._decode, 0  # pyright: ignore[reportPrivateUsage]
    chance = random.Random(3)

    def sometimes(self: Writer, tokens: list[int], *, wanted: int) -> None:
        nonlocal calls
        calls += 1
        if chance.random() < 0.1:
            raise Interrupted
        decode(self, tokens, wanted=wanted)

    monkeypatch.setattr(Writer, "_decode", sometimes)
    for context in contexts:
        context.clear()
    again = Written(writers_of(contexts), sampling)
    assert (again.text, again.end.tokens) == (expected.text, expected.end.tokens)
    assert calls > 100


def test_members_of_different_vocabularies_stay_in_step(contexts: list[Context]) -> None:
    for seed in range(4):
        written = Written(writers_of(contexts), Sampling(temperature=1.0, seed=seed, max_tokens=100))
        assert written.end.reason in (FinishReason.LENGTH, FinishReason.STOP)
        for context in contexts:
            context.clear()


def test_nobody_is_overruled_because_it_took_up_the_end_of_what_was_said(
    trained: list[Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member whose first token begins before the draft objects there, where no token begins for the leader."""
    calls: list[tuple[int | None, int]] = []

    def objects_when_healed(_w: Writer, _d: Draft, _r: Reading, rows: dict[int, Scores], _said: bytes) -> int | None:
        return 0 if min(rows) < 0 else None

    def watched(draft: Draft, opinions: Sequence[Opinion]) -> int | None:
        cut = where_to_cut(draft, opinions)
        calls.append((cut, min(min(one.rows) for one in opinions)))
        return cut

    monkeypatch.setattr(joint_run, "objection", objects_when_healed)
    monkeypatch.setattr(joint_run, "where_to_cut", watched)
    for prompt in ("<|user|> Why are models slow?\n", "What is a token and a vocabulary?"):
        for order in (trained, trained[::-1]):
            Written(writers_of(order, prompt), Sampling(temperature=0, max_tokens=150))
    healed = [at for at, (cut, first) in enumerate(calls) if cut is None and first < 0]
    assert healed
    assert all(calls[at + 1][1] >= 0 for at in healed)  # asked again, with a token that begins where the draft does


def test_sequences_are_given_back(contexts: list[Context]) -> None:
    writers = writers_of(contexts)
    slots = [writer._slots for writer in writers]  # pyright: ignore[reportPrivateUsage]
    Written(writers, Sampling(temperature=0, max_tokens=20))
    for one in slots:
        assert not any(slot.active for slot in one._slots)  # pyright: ignore[reportPrivateUsage]


def test_tokens_that_take_the_place_of_another_are_computed_anew(contexts: list[Context]) -> None:
    writer = writers_of(contexts)[0]
    assert writer.sit()
    while writer.read_prompt():
        pass
    ids = writer.table.ids
    writer.add(Reading([ids[b"a"], ids[b"b"]], [0, 1]))
    writer.score(1, lambda: False)
    writer.add(Reading([ids[b"c"], ids[b"d"], ids[b"e"]], [-1, 0, 1], instead=1))
    assert writer.table.joined(writer.tokens[-4:]) == b"acde"
    found = writer.score(1, lambda: False)[0]
    assert np.allclose(found, logits_after(contexts[0], writer.tokens), atol=0.05)
    writer.keep(b"ac")
    writer.add(Reading([ids[b"f"], ids[b"g"]], [0, 1]))
    assert np.allclose(writer.score(1, lambda: False)[0], logits_after(contexts[0], writer.tokens), atol=0.05)


def test_they_sit_down_all_or_none(contexts: list[Context]) -> None:
    writers = writers_of(contexts[:2])
    slots = writers[1]._slots  # pyright: ignore[reportPrivateUsage]
    prompt = contexts[1].model.vocabulary.tokenise("a b", special=False)
    taken = [slots.take(prompt) for _ in contexts[1].tokens]
    parts: list[JointPart | Exception] = []
    run = JointRun(writers, [0.5, 0.5], Sampling(max_tokens=3), (), 64, parts.append)
    for _ in range(3):
        run.step()
        first = writers[0]._slots  # pyright: ignore[reportPrivateUsage]
        assert not any(slot.active for slot in first._slots)  # pyright: ignore[reportPrivateUsage]
    for found in taken:
        assert found is not None
        slots.give_back(found[0])
    while run.busy:
        run.step()
    assert parts


def test_two_that_read_long_prompts_in_one_full_context_take_turns(tmp_path: Path) -> None:
    model = Model.load(sharp_model(tmp_path / "one.gguf"), EngineSettings())
    context = Context(model, EngineSettings(threads=1, batch_tokens=64), LENGTH, sequences=4)
    slots, table = Slots(context), ByteTable.of(model.vocabulary)
    runs: list[JointRun] = []
    parts: list[JointPart | Exception] = []
    for text in ("the water is for you ", "more people call than "):  # 300 tokens each, and there is room for 512
        prompt = np.resize(model.vocabulary.tokenise(text, special=False), 300)
        writer = Writer(0, context, slots, prompt, table)
        runs.append(JointRun([writer], [1.0], Sampling(temperature=0, max_tokens=5), (), 64, parts.append))
    for _ in range(1_000_000):
        for run in runs:
            run.step()
        if not any(run.busy for run in runs):
            break
    ends = [part for part in parts if isinstance(part, JointEnd)]
    assert len(ends) == 2
    assert not any(isinstance(part, Exception) for part in parts)
    context.close()
    model.close()


def scores_of(contexts: Sequence[Context]) -> Scores:
    table = ByteTable.of(contexts[0].model.vocabulary)
    return Scores(table, np.zeros(table.size, np.float32))


def test_all_decide_where_a_token_begins_for_everybody(contexts: list[Context]) -> None:
    writer, row = writers_of(contexts)[0], scores_of(contexts)
    draft = Draft(b"abcdefgh", [1, 2, 3], [0, 3, 7], [row, row, row])
    assert where_to_cut(draft, [Opinion(writer, {0: row, 3: row, 7: row}, None)]) is None
    assert where_to_cut(draft, [Opinion(writer, {0: row, 3: row, 7: row}, 7)]) == 7
    assert where_to_cut(draft, [Opinion(writer, {0: row, 5: row}, 5)]) == 0  # in the middle of the leader's token
    assert where_to_cut(draft, [Opinion(writer, {0: row, 7: row}, 7), Opinion(writer, {0: row, 3: row}, 3)]) == 0
    assert where_to_cut(draft, [Opinion(writer, {-1: row, 5: row}, 5)]) is None  # nowhere: the draft stands
    unsure = Draft(b"abcdefgh", [1, 2, 3], [0, 3, 7], [row] * 4, unsure=True)
    assert where_to_cut(unsure, [Opinion(writer, {0: row, 8: row}, None)]) == 8
