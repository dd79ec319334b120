"""Fit: needs grow with what is asked for, parts add up, and words hold the numbers and what would help."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.models import FlashAttention, KvType
from codette_desktop.models.fit import Memory, Verdict, judge, size_text
from codette_desktop.models.gguf import GgufHeader, TensorInfo, read_header
from codette_desktop.models.memory_need import LoadShape, MemoryNeed, ModelNeed, memory_need, most_gpu_layers
from tests.support.gguf_files import write_model

GB = 10**9


def header_of(
    layers: int = 32, width: int = 4096, heads: int = 32, kv_heads: int = 8, inner: int = 14_336, tied: bool = False
) -> GgufHeader:
    """The header of an 8 B model in about 4.5 bits a weight, unless told otherwise."""

    def tensor(name: str, rows: int, columns: int) -> TensorInfo:
        return TensorInfo(name, (columns, rows), "Q4_0", 0, rows * columns * 18 // 32)

    kv = width // heads * kv_heads
    tensors = [tensor("token_embd.weight", 128_256, width)]
    for layer in range(layers):
        tensors += [
            tensor(f"blk.{layer}.attn_q.weight", width, width),
            tensor(f"blk.{layer}.attn_k.weight", kv, width),
            tensor(f"blk.{layer}.attn_v.weight", kv, width),
            tensor(f"blk.{layer}.attn_output.weight", width, width),
            tensor(f"blk.{layer}.ffn_gate.weight", inner, width),
            tensor(f"blk.{layer}.ffn_up.weight", inner, width),
            tensor(f"blk.{layer}.ffn_down.weight", width, inner),
        ]
    if not tied:
        tensors.append(tensor("output.weight", 128_256, width))
    return GgufHeader(
        paths=(Path("model.gguf"),), version=3, architecture="llama", name="", metadata={}, chat_template=None,
        context_length=131_072, embedding_length=width, block_count=layers, heads=(heads,) * layers,
        kv_heads=(kv_heads,) * layers, tokenizer="gpt2", vocabulary_size=128_256, tensors=tuple(tensors),
        file_type="Q4_0", alignment=32, size_bytes=sum(item.size_bytes for item in tensors),
    )  # fmt: skip


HEADER = header_of()
SHAPES = st.builds(
    LoadShape,
    cells=st.integers(1, 200_000),
    sequences=st.integers(1, 16),
    rows=st.integers(1, 1024),
    kv_type=st.sampled_from(list(KvType)),
    flash_attention=st.sampled_from(list(FlashAttention)),
    gpu_layers=st.integers(-1, 40),
)


def test_an_eight_billion_model_keeps_131_kilobytes_a_token() -> None:
    need = memory_need(HEADER, LoadShape(8192))
    assert need.cpu.kv_bytes == 8192 * 131_072
    assert memory_need(HEADER, LoadShape(8192, kv_type=KvType.Q8_0)).cpu.kv_bytes == 8192 * 131_072 * 34 // 64
    assert memory_need(HEADER, LoadShape(8192, kv_type=KvType.Q4_0)).cpu.kv_bytes == 8192 * 131_072 * 18 // 64


@given(shape=SHAPES, more=st.integers(1, 50_000))
def test_nothing_needs_less_when_more_is_asked_for(shape: LoadShape, more: int) -> None:
    need = memory_need(HEADER, shape)
    assert memory_need(HEADER, replace(shape, cells=shape.cells + more)).total >= need.total
    assert memory_need(HEADER, replace(shape, sequences=shape.sequences + 1)).total >= need.total
    assert memory_need(HEADER, replace(shape, rows=shape.rows + more)).total >= need.total
    smaller = [memory_need(HEADER, replace(shape, kv_type=kind)).total for kind in (KvType.Q4_0, KvType.Q8_0)]
    assert smaller == sorted(smaller)


@given(shape=SHAPES, tied=st.booleans())
def test_layers_move_to_the_gpu_and_none_is_lost(shape: LoadShape, tied: bool) -> None:
    header = header_of(tied=tied)
    need = memory_need(header, shape)
    size = sum(tensor.size_bytes for tensor in header.tensors)
    embedding = header.tensors[0].size_bytes
    doubled = embedding if tied and shape.gpu_layers else 0
    assert need.cpu.weights_bytes + need.gpu.weights_bytes == size + doubled
    assert need.cpu.weights_bytes >= embedding
    assert need.cpu.kv_bytes + need.gpu.kv_bytes == memory_need(header, replace(shape, gpu_layers=0)).cpu.kv_bytes
    if not shape.gpu_layers:
        assert need.gpu == MemoryNeed()
    if shape.gpu_layers == 1:  # the output matrix alone
        assert need.gpu.kv_bytes == 0
        assert need.gpu.weights_bytes == embedding  # either its own, of the same size, or the copy


@given(shape=SHAPES, free=st.integers(0, 12 * GB))
def test_the_most_layers_that_fit_fit_and_one_more_would_not(shape: LoadShape, free: int) -> None:
    most = most_gpu_layers(HEADER, shape, free)
    asked = shape.gpu_layers if shape.gpu_layers >= 0 else 33
    assert 0 <= most <= min(asked, 33)
    assert memory_need(HEADER, replace(shape, gpu_layers=most)).gpu.total <= free or most == 0
    if most < min(asked, 33):
        assert memory_need(HEADER, replace(shape, gpu_layers=most + 1)).gpu.total > free


@given(shape=SHAPES, free=st.integers(0, 40 * GB), ours=st.integers(0, 10 * GB), gpu_free=st.integers(0, 24 * GB))
def test_every_verdict_is_the_arithmetic_and_holds_the_numbers(
    shape: LoadShape, free: int, ours: int, gpu_free: int
) -> None:
    memory = Memory(free, 64 * GB, gpu_free, 24 * GB, ours=ours)
    fit = judge(HEADER, shape, memory)
    need = fit.need
    now = need.cpu.total <= free and need.gpu.total <= gpu_free
    later = need.cpu.total <= free + ours and need.gpu.total <= gpu_free
    assert fit.verdict is (Verdict.FITS if now else Verdict.FITS_LATER if later else Verdict.TOO_LARGE)
    assert f"needs {size_text(need.cpu.total)}, {size_text(free)} of 64.0 GB can be used" in fit.words
    assert bool(fit.advice) is not now
    if need.gpu.total:
        assert size_text(need.gpu.total) in fit.words


def test_advice_names_what_fits_with_its_size() -> None:
    fit = judge(HEADER, LoadShape(32_768), Memory(int(7.5 * GB), 16 * GB))
    assert fit.verdict is Verdict.TOO_LARGE
    assert re.fullmatch(
        r"needs \d\.\d GB, 7\.5 GB of 16\.0 GB can be used: "
        r"use a context of [\d,]+ tokens or q8_0 keys and values: (\d\.\d) GB",
        fit.sentence,
    ), fit.sentence


@pytest.mark.parametrize(
    ("free", "words"),
    [
        (4.87, "a context of 2,048 tokens with q8_0 keys and values"),
        (4.4, "a smaller quantisation of it, such as Q3_K_M"),
        (1.0, "choose a smaller model"),
    ],
)
def test_with_less_memory_more_must_be_given_up(free: float, words: str) -> None:
    assert words in judge(HEADER, LoadShape(131_072), Memory(int(free * GB), 16 * GB)).sentence


def test_a_small_gpu_is_offered_fewer_layers() -> None:
    fit = judge(HEADER, LoadShape(4096, gpu_layers=-1), Memory(32 * GB, 64 * GB, 4 * GB, 6 * GB))
    assert fit.verdict is Verdict.TOO_LARGE
    found = re.search(r"(\d+) layers on the GPU", fit.advice)
    assert found
    layers = int(found[1])
    assert 10 < layers < 33
    assert judge(HEADER, LoadShape(4096, gpu_layers=layers), Memory(32 * GB, 64 * GB, 4 * GB, 6 * GB)).verdict == "fits"


def test_one_memory_for_both_must_hold_both() -> None:
    need = memory_need(HEADER, LoadShape(4096, gpu_layers=16))
    enough = Memory(need.total, 16 * GB, need.gpu.total, 16 * GB, unified=True)
    assert judge(HEADER, LoadShape(4096, gpu_layers=16), enough).verdict is Verdict.FITS
    short = replace(enough, free=need.total - 1)
    assert judge(HEADER, LoadShape(4096, gpu_layers=16), short).verdict is not Verdict.FITS


def test_earlier_loads_count_in_the_verdict_and_the_advice() -> None:
    computed = memory_need(HEADER, LoadShape(8192))
    taught = ModelNeed(replace(computed.cpu, compute_bytes=computed.cpu.compute_bytes + 2 * GB))
    memory = Memory(computed.total + GB, 16 * GB)
    assert judge(HEADER, LoadShape(8192), memory).verdict is Verdict.FITS
    fit = judge(HEADER, LoadShape(8192), memory, expected=taught)
    assert fit.verdict is Verdict.TOO_LARGE
    assert size_text(taught.total) in fit.words


def test_a_real_file_fits_here(tmp_path: Path) -> None:
    header = read_header(write_model(tmp_path / "model.gguf"))
    assert judge(header, LoadShape(512), Memory(GB, GB)).verdict is Verdict.FITS
