"""What the settings of a load change in the engine itself, on real files."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from codette_desktop.domain.errors import ModelLoadFailed
from codette_desktop.domain.events import EventBus
from codette_desktop.domain.models import EngineSettings, FlashAttention, KvType, Numa
from codette_desktop.inference.llama.context import Context, Feed, Logits
from codette_desktop.inference.llama.library import Library, library
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.provider import LlamaProvider
from codette_desktop.models.identity import info_from_header
from tests.integration.provider_contract import answer, ask, text_of
from tests.support.gguf_files import write_model

CELL_BYTES = 12  # of a saved state, for each token: its position, and the number of its sequence twice


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "model.gguf", width=128, heads=4, kv_heads=2)


def logits_of(path: Path, settings: EngineSettings, count: int = 40) -> Logits:
    model = Model.load(path, settings)
    context = Context(model, settings, 256)
    try:
        assert context.decode([Feed(0, np.arange(300, 300 + count, dtype=np.int32))])
        return context.logits().copy()
    finally:
        context.close()
        model.close()


@pytest.mark.parametrize("kind", KvType)
def test_a_token_takes_what_the_arithmetic_says(path: Path, kind: KvType) -> None:
    settings = EngineSettings(kv_type=kind)
    model = Model.load(path, settings)
    context = Context(model, settings, 512)
    sizes: list[int] = []
    for _ in range(3):
        assert context.decode([Feed(0, np.arange(300, 310, dtype=np.int32))])
        sizes.append(library().c.llama_state_seq_get_size(context.handle, 0))
    grown = {after - before for before, after in itertools.pairwise(sizes)}
    each = model.kv_bytes(512, kind) / 512
    assert each == {KvType.F16: 512, KvType.Q8_0: 272, KvType.Q4_0: 144}[kind]  # 2 layers, 2 heads, 2 × 32 numbers
    assert grown == {10 * (each + CELL_BYTES)}
    assert context.resident_bytes == model.weights_bytes + 512 * each
    context.close()
    model.close()


@pytest.mark.parametrize("kind", KvType)
async def test_a_model_answers_with_each_type_of_cache(path: Path, kind: KvType) -> None:
    settings = EngineSettings(kv_type=kind)
    provider = LlamaProvider(lambda _name: info_from_header(path), EventBus(), settings=lambda _info: settings)
    assert text_of(await answer(provider, ask("model")))
    await provider.aclose()


def test_fewer_bits_change_the_logits_a_little_and_f16_not_at_all(path: Path) -> None:
    plain = logits_of(path, EngineSettings())
    assert np.array_equal(plain, logits_of(path, EngineSettings(kv_type=KvType.F16)))
    spread = float(plain.std())
    errors = [
        float(np.abs(plain - logits_of(path, EngineSettings(kv_type=kind))).max()) / spread
        for kind in (KvType.Q8_0, KvType.Q4_0)
    ]
    assert 0 < errors[0] < 0.05
    assert errors[0] < errors[1] < 0.6


def test_flash_attention_gives_nearly_the_same_logits(path: Path) -> None:
    on = logits_of(path, EngineSettings(flash_attention=FlashAttention.ON))
    off = logits_of(path, EngineSettings(flash_attention=FlashAttention.OFF))
    assert not np.array_equal(on, off)
    assert np.allclose(on, off, atol=0.02 * float(on.std()))


@pytest.mark.parametrize("kind", [KvType.Q8_0, KvType.Q4_0])
@pytest.mark.parametrize(
    ("heads", "flash_attention", "words"),
    [(4, FlashAttention.OFF, "needs flash attention"), (8, FlashAttention.AUTO, "packs 32 numbers together.*has 16")],
)
async def test_what_cannot_go_together_is_refused_in_words_before_anything_is_loaded(
    tmp_path: Path, kind: KvType, heads: int, flash_attention: FlashAttention, words: str
) -> None:
    path = write_model(tmp_path / "model.gguf", width=128, heads=heads)
    settings = EngineSettings(kv_type=kind, flash_attention=flash_attention)
    model = Model.load(path, settings)
    with pytest.raises(ModelLoadFailed, match=words) as caught:
        Context(model, settings, 256)
    model.close()
    assert "f16" in caught.value.hint
    marks: list[str] = []
    provider = LlamaProvider(
        lambda _name: info_from_header(path),
        EventBus(),
        settings=lambda _info: settings,
        on_loading=lambda info: marks.append(info.name),
    )
    with pytest.raises(ModelLoadFailed, match=words):
        await answer(provider, ask("model"))
    await provider.aclose()
    assert marks == []


@pytest.mark.skipif(sys.platform != "linux", reason="counts locked pages as Linux tells them")
@pytest.mark.parametrize("mapped", [True, False])
def test_locked_weights_stay_in_memory(path: Path, mapped: bool) -> None:
    def locked() -> int:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmLck:")[2].split()[0]) * 1024

    before = locked()
    model = Model.load(path, EngineSettings(lock_memory=True, use_mmap=mapped))
    taken = locked() - before
    model.close()
    assert taken >= model.weights_bytes * 0.9


_LIMITED = """
import ctypes, logging, resource, sys
from pathlib import Path
from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.model import Model
resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
libc, header, sets = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
libc.capget(header, sets)
sets[0] &= ~(1 << 14)  # CAP_IPC_LOCK: whoever has it may lock all the same
libc.capset(header, sets)
logging.basicConfig(level=logging.INFO, format="%(message)s")
print(Model.load(Path(sys.argv[1]), EngineSettings(lock_memory=True)).layers)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set as on Linux")
def test_where_the_system_does_not_lock_memory_the_model_is_loaded_all_the_same(path: Path) -> None:
    command = [sys.executable, "-c", _LIMITED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "2\n", done.stderr
    assert "the system does not lock the memory of model.gguf" in done.stderr


def test_numa_is_told_to_the_engine_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []

    class Calls:
        """Stands in for the engine, which would keep the strategy for all tests that follow."""

        def llama_numa_init(self, strategy: int) -> None:
            told.append(strategy)

    real = library()
    engine = Library(Calls(), real.build, real.system_info, real.extra_buffers, real.gpu, real.abort_callback)
    for numa in (Numa.OFF, Numa.DISTRIBUTE, Numa.DISTRIBUTE, Numa.ISOLATE, Numa.OFF):
        engine.spread_over_processors(numa)
    assert told == [1]
