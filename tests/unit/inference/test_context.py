"""The working memory: whatever happens, the tokens it says it holds are the ones it holds."""

import re
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codette_desktop.domain.errors import EngineFailure, ModelLoadFailed
from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.context import MAX_CHUNK, MIN_CHUNK, Context
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.vocabulary import Tokens
from tests.support.gguf_files import write_model


@pytest.fixture
def prompt(tiny: Model) -> Tokens:
    return tiny.vocabulary.tokenise("the time of day and the memory of a model " * 60, special=False)[:600]


def read(context: Context, prompt: Tokens, start: int = 0) -> np.ndarray:
    for at in range(start, len(prompt), context.chunk):
        assert context.decode(prompt[at : at + context.chunk])
    return context.logits().copy()


def test_a_kept_prefix_gives_the_same_result(tiny: Model, prompt: Tokens) -> None:
    with closing(Context(tiny, EngineSettings(threads=1), 1024)) as warm:
        other = prompt.copy()
        other[512:] = 300
        read(warm, other)
        assert warm.keep_prefix(prompt) == 512
        after = read(warm, prompt, 512)
        assert warm.tokens == prompt.tolist()
        assert warm.keep_prefix(prompt) == len(prompt) - 1  # one token is always decoded again, for its logits
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
            while done < len(prompt) and context.decode(prompt[done : done + context.chunk]):
                done = len(context.tokens)
            timer.join()
            assert context.tokens == prompt[: len(context.tokens)].tolist()
            assert not context.decode(prompt[:1])  # the flag stays up until it is taken down
            context.resume()
            kept = context.keep_prefix(prompt)
            kept -= kept % context.chunk  # the same cuts, so that every rounding is the same
            context.keep_prefix(np.append(prompt[:kept], np.int32(0)))
            assert np.array_equal(read(context, prompt, kept), expected)
            context.clear()
    model.close()


def test_one_token_too_many_is_an_error_and_empties_the_memory(context: Context) -> None:
    with closing(Context(context.model, EngineSettings(threads=1), 256)) as small:
        for _ in range(256):
            small.decode_one(300)
        with pytest.raises(EngineFailure, match="context is full"):
            small.decode_one(300)
        assert small.tokens == []
        assert small.decode_one(300)


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


@pytest.mark.parametrize(("width", "layers", "threads"), [(32, 1, 1), (64, 2, 4), (1024, 2, 1), (1024, 2, 16)])
def test_chunks_shrink_as_models_grow(tmp_path: Path, width: int, layers: int, threads: int) -> None:
    path = write_model(tmp_path / "m.gguf", width=width, layers=layers, feed_forward=width * 4, context_length=2048)
    model = Model.load(path, EngineSettings())
    with closing(Context(model, EngineSettings(threads=threads), 1024)) as context:
        assert MIN_CHUNK <= context.chunk <= MAX_CHUNK
        assert context.chunk == (MIN_CHUNK if (width, threads) == (1024, 1) else MAX_CHUNK)
    model.close()
