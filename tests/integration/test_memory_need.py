"""The arithmetic of memory against llama.cpp itself, on real files of several shapes."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.domain.models import FlashAttention, KvType
from codette_desktop.inference.llama.library import library
from codette_desktop.models.gguf import read_header
from codette_desktop.models.memory_need import LoadShape, f16_bytes, memory_need, saved_bytes
from tests.support.gguf_families import write_mixture, write_recurrent, write_windowed
from tests.support.gguf_files import write_model

MIB = 2**20
ROUNDING = 0.02 * MIB  # the log gives two decimals
KV_TYPES = {KvType.F16: 1, KvType.Q8_0: 8, KvType.Q4_0: 2}
Write = Callable[[Path], Path]

SHAPES: dict[str, Write] = {
    "plain": write_model,
    "grouped": lambda path: write_model(path, layers=4, width=256, heads=8, kv_heads=2, feed_forward=1024),
    "tied": lambda path: write_model(path, width=128, vocabulary=8000, tied=True, quantisation="Q8_0"),
    "wide heads": lambda path: write_model(path, width=256, heads=4, kv_heads=4, head_size=128, feed_forward=256),
    "thin": lambda path: write_model(path, width=64, heads=16, kv_heads=16, head_size=128, feed_forward=32),
    "long vocabulary": lambda path: write_model(path, vocabulary=30_000, quantisation="Q4_0", head_size=32),
    "experts": write_mixture,
    "windowed": write_windowed,
    "recurrent": write_recurrent,
}


@dataclass
class Said:
    """What the engine took, in bytes, by its own account."""

    weights: int
    sequence: int
    buffers: dict[str, float] = field(default_factory=dict[str, float])


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def load(path: Path, shape: LoadShape) -> Said:
    """Load the file with llama.cpp; a context that it refuses is an error."""
    c: Any = library().c
    log = logging.getLogger("codette_desktop.inference.llama.library")
    listener, level = _Listener(), log.level
    log.addHandler(listener)
    log.setLevel(logging.DEBUG)
    try:
        params = c.llama_model_default_params()
        params.use_extra_bufts = False
        model = c.llama_model_load_from_file(str(path).encode(), params)
        context_params = c.llama_context_default_params()
        context_params.n_ctx = shape.cells
        context_params.n_batch = context_params.n_ubatch = shape.rows
        context_params.n_seq_max = context_params.n_outputs_max = shape.sequences
        context_params.kv_unified = True
        context_params.offload_kqv = context_params.op_offload = False
        context_params.type_k = context_params.type_v = KV_TYPES[shape.kv_type]
        context_params.flash_attn_type = 0 if shape.flash_attention is FlashAttention.OFF else -1
        context = c.llama_init_from_model(model, context_params)
        assert context
        said = Said(c.llama_model_size(model), _one_token(c, context))
        c.llama_free(context)
        c.llama_model_free(model)
    finally:
        log.removeHandler(listener)
        log.setLevel(level)
    for line in listener.lines:
        if found := re.search(r"CPU +(output|KV|RS|compute) buffer size = +([0-9.]+) MiB", line):
            said.buffers[found[1]] = said.buffers.get(found[1], 0.0) + float(found[2]) * MIB
    return said


def _one_token(c: Any, context: Any) -> int:
    """The bytes of a sequence of one token, as it would be saved."""
    token = (c.llama_token * 1)(5)
    assert c.llama_decode(context, c.llama_batch_get_one(token, 1)) == 0
    return c.llama_state_seq_get_size(context, 0)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("cells", [512, 4000])
def test_need_is_what_the_engine_takes(name: str, cells: int, tmp_path: Path) -> None:
    path = SHAPES[name](tmp_path / "model.gguf")
    header = read_header(path)
    for sequences, rows in ((1, 512), (8, 39), (8, 519)):
        shape = LoadShape(cells, sequences, min(rows, cells))
        need, said = memory_need(header, shape).cpu, load(path, shape)
        assert need.weights_bytes == said.weights
        kept = said.buffers.get("KV", 0.0) + said.buffers.get("RS", 0.0)
        assert need.kv_bytes == pytest.approx(kept, abs=ROUNDING)
        computed = said.buffers["compute"] + said.buffers["output"]
        assert need.compute_bytes >= computed - ROUNDING, (name, shape, need, said)
        # No wild guess either: what is always there besides was not measured here.
        fixed = header.vocabulary_size * 400 + 4 * MIB
        assert need.compute_bytes - fixed <= 2.2 * computed + MIB, (name, shape, need, said)


@pytest.mark.parametrize("name", ["tied", "wide heads", "thin", "long vocabulary"])
@pytest.mark.parametrize("kv_type", list(KvType))
def test_quantised_keys_and_values(name: str, kv_type: KvType, tmp_path: Path) -> None:
    path = SHAPES[name](tmp_path / "model.gguf")
    shape = LoadShape(1024, 4, 512, kv_type)
    need, said = memory_need(read_header(path), shape).cpu, load(path, shape)
    assert need.kv_bytes == pytest.approx(said.buffers["KV"], abs=ROUNDING)
    assert need.compute_bytes >= said.buffers["compute"] + said.buffers["output"] - ROUNDING


def test_a_saved_sequence_is_its_share_of_the_cache(tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.gguf", layers=4, width=256, heads=8, kv_heads=8, feed_forward=64)
    shape = LoadShape(1024, 1, 512)
    need, said = memory_need(read_header(path), shape).cpu, load(path, shape)
    one = need.kv_bytes // 1024
    assert one <= said.sequence <= one + 512  # and a few words of its own


@pytest.mark.parametrize("name", ["plain", "grouped", "thin", "experts", "windowed"])
def test_without_flash_attention_computing_takes_more(name: str, tmp_path: Path) -> None:
    path = SHAPES[name](tmp_path / "model.gguf")
    shape = LoadShape(4096, 8, 519, flash_attention=FlashAttention.OFF)
    need, said = memory_need(read_header(path), shape).cpu, load(path, shape)
    computed = said.buffers["compute"] + said.buffers["output"]
    assert computed - ROUNDING <= need.compute_bytes <= 2 * computed + 8 * MIB


def test_saved_memory_is_the_difference_to_a_file_in_f16(tmp_path: Path) -> None:
    full = read_header(write_model(tmp_path / "f16.gguf", quantisation="F16"))
    weights = sum(tensor.size_bytes for tensor in full.tensors)
    assert saved_bytes(full) == 0
    for quantisation in ("Q8_0", "Q4_0"):
        small = read_header(write_model(tmp_path / f"{quantisation}.gguf", quantisation=quantisation))
        assert f16_bytes(small) == weights
        assert saved_bytes(small) == weights - sum(tensor.size_bytes for tensor in small.tensors)
