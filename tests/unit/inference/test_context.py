"""The working memory: whatever happens, the tokens it says it holds are the ones it holds."""

import re
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codette_desktop.domain.errors import ModelLoadFailed
from codette_desktop.domain.models import EngineSettings, FlashAttention, KvType
from codette_desktop.inference.llama.context import MAX_CHUNK, MIN_CHUNK, Context, Feed, NoRoom
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.vocabulary import Tokens
from tests.support.gguf_files import write_model


@pytest.fixture
def prompt(tiny: Model) -> Tokens:
    return tiny.vocabulary.tokenise("the time of day and the memory of a model " * 60, special=False)[:600]


def read(context: Context, prompt: Tokens, start: int = 0) -> np.ndarray:
    for at in range(start, len(prompt), context.chunk):
        assert context.decode([Feed(0, prompt[at : at + context.chunk])])
    return context.logits().copy()


def test_a_kept_prefix_gives_the_same_result(tiny: Model, prompt: Tokens) -> None:
    with closing(Context(tiny, EngineSettings(threads=1), 1024)) as warm:
        other = prompt.copy()
        other[512:] = 300
        read(warm, other)
        assert warm.truncate(0, warm.common(0, prompt)) == 512
        after = read(warm, prompt, 512)
        assert warm.tokens[0] == prompt.tolist()
        assert warm.common(0, prompt) == len(prompt) - 1  # one token is always decoded again, for its logits
    with closing(Context(tiny, EngineSettings(threads=1), 1024)) as cold:
        assert np.allclose(read(cold, prompt), after, atol=1e-3)


def test_an_aborted_decode_leaves_what_was_there_before(tmp_path: Path) -> None:
    model = Model.load(
        write_model(tmp_path / "slow.gguf", layers=6, width=256, heads=4, feed_forward=2048), EngineSettings()
    )
    prompt = model.vocabulary.tokenise("time of day and night " * 90, special=False)[:450]
    with closing(Context(model, EngineSettings(threads=1, context_length=512), 512)) as calm:
        expected = read(calm, prompt)
    with closing(Context(model, EngineSettings(threads=1), 512)) as context:
        for delay in (0.0, 0.002, 0.01, 0.03):
            timer = threading.Timer(delay, context.abort)
            timer.start()
            done = 0
            while done < len(prompt) and context.decode([Feed(0, prompt[done : done + context.chunk])]):
                done = len(context.tokens[0])
            timer.join()
            assert context.tokens[0] == prompt[: len(context.tokens[0])].tolist()
            assert not context.decode([Feed(0, prompt[:1])])  # the flag stays up until it is taken down
            context.resume()
            kept = context.common(0, prompt)
            kept = context.truncate(0, kept - kept % context.chunk)  # the same cuts, so that every rounding is the same
            assert np.array_equal(read(context, prompt, kept), expected)
            context.clear()
    model.close()


def test_one_token_too_many_is_an_error_and_loses_nothing(context: Context) -> None:
    with closing(Context(context.model, EngineSettings(threads=1), 256, sequences=2)) as small:
        small.decode([Feed(1, np.full(100, 301, np.int32))])
        for _ in range(156):
            small.decode_one(0, 300)
        with pytest.raises(NoRoom, match="256 tokens is full"):
            small.decode_one(0, 300)
        with pytest.raises(NoRoom):
            small.decode([Feed(0, np.array([300], np.int32)), Feed(1, np.array([300], np.int32))])
        assert [len(tokens) for tokens in small.tokens] == [156, 100]
        assert small.truncate(1, 60) == 60
        assert small.decode_one(0, 300)


def test_sequences_do_not_see_each_other(tiny: Model, prompt: Tokens) -> None:
    with closing(Context(tiny, EngineSettings(threads=1), 1024, sequences=3, cells=2048)) as context:
        other = prompt[::-1].copy()
        alone = read(context, prompt)
        context.decode([Feed(1, other[:50])])
        assert context.decode([Feed(2, prompt[:200], wanted=False), Feed(1, other[50:51])])
        assert context.decode([Feed(1, other[51:52]), Feed(2, prompt[200:500])])
        assert context.decode([Feed(2, prompt[500:]), Feed(1, other[52:53])])
        assert np.allclose(context.logits(len(prompt) - 500 - 1), alone, atol=1e-3)
        assert [len(tokens) for tokens in context.tokens] == [600, 53, 600]


def test_a_copied_sequence_goes_on_as_the_first_would(tiny: Model, prompt: Tokens) -> None:
    with closing(Context(tiny, EngineSettings(threads=1), 1024, sequences=2)) as context:
        expected = read(context, prompt)
        assert context.copy(0, 1, 500) == 500
        assert context.decode([Feed(1, prompt[500:])])
        assert np.allclose(context.logits(), expected, atol=1e-3)
        assert context.tokens[0] == context.tokens[1] == prompt.tolist()  # in fewer cells than both need alone


def test_a_saved_sequence_comes_back_as_it_was(tiny: Model, prompt: Tokens) -> None:
    with closing(Context(tiny, EngineSettings(threads=1), 1024, sequences=2)) as context:
        read(context, prompt)
        context.truncate(0, len(prompt) - 1)
        context.decode_one(0, int(prompt[-1]))
        expected = context.logits().copy()
        state, tokens = context.save(0), list(context.tokens[0])
        context.clear()
        assert context.restore(1, state, tokens)
        assert context.truncate(1, len(prompt) - 1) == len(prompt) - 1
        assert context.decode_one(1, int(prompt[-1]))
        assert np.allclose(context.logits(), expected, atol=1e-4)
        assert not context.restore(0, state, tokens) or len(context.tokens[0]) == 600
        assert not context.restore(0, state[: len(state) // 2], tokens)
        assert context.tokens[0] == []


def test_a_context_larger_than_memory_is_refused(tiny: Model) -> None:
    with pytest.raises(ModelLoadFailed, match=r"A context of 1,999,999,999 tokens needs 5\d\d.\d GB of memory"):
        Context(tiny, EngineSettings(), 1_999_999_999)


@pytest.mark.parametrize("shape", [{}, {"head_size": 64}, {"kv_heads": 1, "layers": 3}])
def test_the_cache_is_never_larger_than_was_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, shape: dict[str, Any]
) -> None:
    model = Model.load(write_model(tmp_path / "m.gguf", width=128, **shape), EngineSettings())
    with caplog.at_level("DEBUG", "codette_desktop.inference.llama.library"):
        Context(model, EngineSettings(threads=1), 3000).close()
    told = re.search(r"KV buffer size = +([\d.]+) MiB", caplog.text)
    assert told
    assert model.kv_bytes(3000) / 2**20 == pytest.approx(float(told[1]), abs=0.01)
    model.close()


@pytest.mark.parametrize("kv_type", list(KvType))
@pytest.mark.parametrize("flash", list(FlashAttention))
def test_the_settings_reach_the_engine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kv_type: KvType, flash: FlashAttention
) -> None:
    settings = EngineSettings(threads=1, kv_type=kv_type, flash_attention=flash, use_mmap=False, lock_memory=True)
    model = Model.load(write_model(tmp_path / "m.gguf", head_size=32), settings)
    try:
        if kv_type is not KvType.F16 and flash is FlashAttention.OFF:
            with pytest.raises(ModelLoadFailed, match="needs flash attention, which is switched off"):
                Context(model, settings, 512)
            return
        with caplog.at_level("DEBUG", "codette_desktop.inference.llama.library"):
            context = Context(model, settings, 512)
        with closing(context):
            assert f"K ({kv_type})" in caplog.text
            assert re.search(
                rf"flash_attn += {'disabled' if flash is FlashAttention.OFF else '(auto|enabled)'}", caplog.text
            )
            assert context.resident_bytes == model.weights_bytes + model.kv_bytes(512, kv_type)
            assert read(context, np.arange(300, 340, dtype=np.int32)).any()
    finally:
        model.close()


def test_a_model_whose_heads_are_too_narrow_for_few_bits_is_told(tiny: Model) -> None:
    with pytest.raises(ModelLoadFailed, match="q8_0 keys and values was refused") as refused:
        Context(tiny, EngineSettings(kv_type=KvType.Q8_0), 512)
    assert "f16" in refused.value.hint


@pytest.mark.parametrize(("width", "layers", "threads"), [(32, 1, 1), (64, 2, 4), (1024, 2, 1), (1024, 2, 16)])
def test_chunks_shrink_as_models_grow(tmp_path: Path, width: int, layers: int, threads: int) -> None:
    path = write_model(tmp_path / "m.gguf", width=width, layers=layers, feed_forward=width * 4, context_length=2048)
    model = Model.load(path, EngineSettings())
    with closing(Context(model, EngineSettings(threads=threads), 1024)) as context:
        assert MIN_CHUNK <= context.chunk <= MAX_CHUNK
        assert context.chunk == (MIN_CHUNK if (width, threads) == (1024, 1) else MAX_CHUNK)
    model.close()
