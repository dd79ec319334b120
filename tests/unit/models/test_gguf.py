"""The GGUF reader: what it says of good files and how it refuses bad ones."""

import math
import struct
import tracemalloc
from dataclasses import replace
from pathlib import Path

import gguf
import pytest

from codette_desktop.domain.errors import ModelFileError, ModelNotFound, TruncatedModel, UnsupportedModel
from codette_desktop.models.gguf import GgufHeader, read_header
from codette_desktop.models.gguf_types import TENSOR_TYPES
from tests.support import gguf_mutations
from tests.support.gguf_files import (
    CHATML,
    Quantisation,
    Tokenizer,
    write_model,
)
from tests.support.gguf_mutations import ARRAY, FLOAT32, STRING, UINT16, UINT64, Parts, string, strings

NAN = struct.pack("<f", math.nan)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tiny.gguf")


@pytest.fixture
def parts(model: Path) -> Parts:
    return Parts.of(model.read_bytes())


def rewritten(parts: Parts, path: Path) -> GgufHeader:
    return read_header(gguf_mutations.write(path, parts.joined()))


@pytest.mark.parametrize("tokenizer", ["gpt2", "llama"])
@pytest.mark.parametrize("quantisation", ["F32", "F16", "Q8_0", "Q4_0"])
def test_header_agrees_with_the_reference_reader(
    tmp_path: Path, tokenizer: Tokenizer, quantisation: Quantisation
) -> None:
    path = write_model(tmp_path / "m.gguf", tokenizer=tokenizer, quantisation=quantisation, layers=3, name="Some Model")
    header = read_header(path)
    reference = gguf.GGUFReader(path)
    assert [(t.name, t.shape, t.type, t.offset, t.size_bytes) for t in header.tensors] == [
        (t.name, tuple(t.shape.tolist()), t.tensor_type.name, int(t.data_offset), int(t.n_bytes))
        for t in reference.tensors
    ]
    assert header.parameters == sum(int(tensor.n_elements) for tensor in reference.tensors)
    assert (header.architecture, header.name, header.tokenizer) == ("llama", "Some Model", tokenizer)
    assert (header.context_length, header.embedding_length, header.block_count) == (512, 64, 3)
    assert (header.heads, header.kv_heads, header.vocabulary_size) == ((4, 4, 4), (2, 2, 2), 512)
    assert header.file_type == quantisation
    assert header.chat_template == CHATML
    assert header.metadata["llama.rope.freq_base"] == 10_000.0
    assert header.size_bytes == path.stat().st_size


def test_table_of_tensor_types_agrees_with_the_reference() -> None:
    for kind, (block, size) in gguf.GGML_QUANT_SIZES.items():
        if kind.name == "Q8_1":  # the package still has its old layout; ggml's block is two halves and 32 bytes
            continue
        ours = TENSOR_TYPES[kind.value]
        assert (ours.name, ours.block, ours.block_bytes) == (kind.name, block, size)


def test_what_the_cache_keeps_per_token_counts_heads_by_layer_and_their_own_width(tmp_path: Path) -> None:
    header = read_header(write_model(tmp_path / "a.gguf", heads=4, kv_heads=2, width=64, layers=2))
    assert header.kv_values_per_token == 2 * 2 * (16 + 16)
    wide = read_header(write_model(tmp_path / "b.gguf", heads=4, kv_heads=2, width=64, layers=2, head_size=32))
    assert wide.kv_values_per_token == 2 * 2 * (32 + 32)
    assert replace(wide, heads=(4, 0, 4), kv_heads=(2, 0, 1)).kv_values_per_token == 3 * (32 + 32)
    assert replace(header, heads=(), kv_heads=()).kv_values_per_token == 0
    uneven = {
        "llama.attention.key_length": 24,
        "llama.attention.value_length": 8,
        "llama.attention.value_length_swa": 9,
    }
    assert replace(header, metadata=uneven).kv_values_per_token == 2 * 2 * (24 + 9)


def test_file_type_unknown_or_missing_falls_back_to_the_majority(parts: Parts, model: Path) -> None:
    parts.set_number("general.file_type", 999)
    assert rewritten(parts, model).file_type == "F32"
    del parts.values["general.file_type"]
    assert rewritten(parts, model).file_type == "F32"


def test_template_name_and_text_that_is_not_unicode(parts: Parts, model: Path) -> None:
    del parts.values["tokenizer.chat_template"]
    parts.values["general.name"] = (STRING, string(b"caf\xe9 "))
    header = rewritten(parts, model)
    assert header.chat_template is None
    assert header.name == "caf\N{REPLACEMENT CHARACTER}"


def test_version_two_is_read(parts: Parts, model: Path) -> None:
    parts.version = 2
    assert rewritten(parts, model).version == 2


@pytest.mark.parametrize(
    ("content", "error", "word"),
    [
        (b"", ModelFileError, "empty"),
        (b"GG", TruncatedModel, "first bytes"),
        (b"GGUF\x03\0\0\0", TruncatedModel, "header"),
        (b"# A text file\n", ModelFileError, "not a GGUF"),
        (b"lmgg" + bytes(40), UnsupportedModel, "GGML"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), UnsupportedModel, "version 1"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), UnsupportedModel, "big-endian"),
        (b"GGUF" + struct.pack("<IQQ", 4, 0, 0), UnsupportedModel, "version 4"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 0), ModelFileError, "tensors"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**40), ModelFileError, "metadata values"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), ModelFileError, "architecture"),
    ],
)
def test_files_that_are_not_models(tmp_path: Path, content: bytes, error: type[Exception], word: str) -> None:
    path = gguf_mutations.write(tmp_path / "x.gguf", content)
    with pytest.raises(error, match=word) as caught:
        read_header(path)
    assert type(caught.value) is error


def test_paths_that_are_not_files(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no file"):
        read_header(tmp_path / "absent.gguf")
    with pytest.raises(ModelFileError, match="folder"):
        read_header(tmp_path)
    with pytest.raises(ModelNotFound):
        read_header("a\0b.gguf")
    with pytest.raises(ModelNotFound):
        read_header(tmp_path / ("x" * 5000))


def test_truncation_says_how_much_is_missing(model: Path) -> None:
    content = model.read_bytes()
    with pytest.raises(TruncatedModel, match=r"1,000 are missing"):
        read_header(gguf_mutations.write(model, content[:-1000]))
    for length in range(24, gguf_mutations.header_bytes(content), 97):
        with pytest.raises(ModelFileError):
            read_header(gguf_mutations.write(model, content[:length]))


@pytest.mark.parametrize("kind", [24, 25, 26, 27, 28, 9, 15, 4, 31, 99])
def test_types_that_cannot_be_computed_are_unsupported(parts: Parts, model: Path, kind: int) -> None:
    parts.change_tensor("blk.0.attn_q.weight", type=kind)
    with pytest.raises(UnsupportedModel, match=r"blk\.0\.attn_q\.weight"):
        rewritten(parts, model)


def test_norms_must_be_f32(parts: Parts, model: Path) -> None:
    parts.change_tensor("blk.0.attn_norm.weight", type=1)
    with pytest.raises(UnsupportedModel, match="F32"):
        rewritten(parts, model)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"offset": 32}, "overlaps"),
        ({"offset": 1}, "multiple"),
        ({"offset": 2**40}, "follow"),
        ({"dimensions": (64, 0)}, "dimension of 0"),
        ({"dimensions": (64, 2**62)}, "more elements"),
        ({"dimensions": (1, 1, 1, 1, 1)}, "5 dimensions"),
        ({"dimensions": (33, 64), "type": 8}, "not a multiple of Q8_0's 32"),
        ({"name": "blk.0.attn_k.weight"}, "twice"),
        ({"name": "n" * 64}, "64 bytes"),
        ({"name": ""}, "0 bytes"),
    ],
)
def test_contradictions_among_tensors(parts: Parts, model: Path, changes: dict[str, object], word: str) -> None:
    parts.change_tensor("blk.0.attn_q.weight", **changes)
    with pytest.raises(ModelFileError, match=word):
        rewritten(parts, model)


@pytest.mark.parametrize("alignment", [0, 3, 8, 2**31])
def test_alignments_the_engine_cannot_map(parts: Parts, model: Path, alignment: int) -> None:
    parts.set_number("general.alignment", alignment)
    with pytest.raises(ModelFileError, match="align"):
        rewritten(parts, model)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("llama.attention.head_count", 0),
        ("llama.attention.head_count", 3),
        ("llama.attention.head_count_kv", 0),
        ("llama.attention.head_count_kv", 3),
        ("llama.rope.dimension_count", 0),
        ("llama.rope.dimension_count", 2**31),
        ("llama.attention.key_length", 8),
        ("llama.attention.value_length", 0),
        ("llama.context_length", 0),
        ("llama.context_length", 2**32 - 1),
        ("llama.block_count", 0),
        ("llama.block_count", 3),
        ("llama.block_count", 600),
        ("llama.embedding_length", 0),
        ("llama.expert_used_count", 1),
        ("llama.expert_count", 8),
        ("llama.expert_group_count", 1),
        ("llama.nextn_predict_layers", 3),
        ("tokenizer.ggml.bos_token_id", 512),
        ("tokenizer.ggml.eos_token_id", 2**31),
    ],
)
def test_numbers_that_would_take_the_engine_down(parts: Parts, model: Path, key: str, value: int) -> None:
    parts.set_number(key, value)
    with pytest.raises(ModelFileError):
        rewritten(parts, model)


@pytest.mark.parametrize("number", [NAN, struct.pack("<f", -1.0), struct.pack("<f", math.inf)])
@pytest.mark.parametrize("key", ["attention.layer_norm_rms_epsilon", "rope.freq_base"])
def test_floats_that_would_take_the_engine_down(parts: Parts, model: Path, key: str, number: bytes) -> None:
    parts.values[f"llama.{key}"] = (FLOAT32, number)
    with pytest.raises(ModelFileError):
        rewritten(parts, model)


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("general.type", "adapter", "adapter"),
        ("general.type", "mmproj", "projector"),
        ("general.architecture", "t5", "does not write"),
        ("tokenizer.ggml.model", "none", "tokenizer"),
        ("tokenizer.ggml.model", "rwkv", "architecture"),
        ("tokenizer.ggml.model", "invented", "not known"),
        ("llama.rope.scaling.type", "magic", "magic"),
    ],
)
def test_what_the_engine_cannot_write_with_is_unsupported(
    parts: Parts, model: Path, key: str, value: str, word: str
) -> None:
    parts.values[key] = (STRING, string(value))
    with pytest.raises(UnsupportedModel, match=word):
        rewritten(parts, model)


@pytest.mark.parametrize(
    "key",
    [
        "general.architecture",
        "llama.context_length",
        "llama.embedding_length",
        "llama.block_count",
        "llama.attention.head_count",
        "tokenizer.ggml.model",
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.merges",
    ],
)
def test_missing_keys(parts: Parts, model: Path, key: str) -> None:
    del parts.values[key]
    with pytest.raises(ModelFileError):
        rewritten(parts, model)


def test_values_of_the_wrong_type(parts: Parts, model: Path) -> None:
    for key in ("llama.context_length", "tokenizer.ggml.bos_token_id", "general.architecture", "general.alignment"):
        changed = Parts.of(model.read_bytes())
        changed.values[key] = (UINT64, struct.pack("<Q", 32))
        with pytest.raises(ModelFileError):
            rewritten(changed, model.with_name("other.gguf"))


def test_metadata_the_engine_would_misread(parts: Parts, model: Path) -> None:
    content = parts.joined()
    cut = content.replace(b"llama.context_length", b"llama.vocab_size\0\0\0\0")
    with pytest.raises(ModelFileError, match="zero byte"):
        read_header(gguf_mutations.write(model, cut))
    nested = Parts.of(content)
    nested.values["x"] = (ARRAY, struct.pack("<IQ", ARRAY, 1) + struct.pack("<IQ", 4, 0))
    with pytest.raises(UnsupportedModel, match="array of arrays"):
        rewritten(nested, model)


def test_duplicate_keys_are_refused(model: Path) -> None:
    content = model.read_bytes()
    twice = content.replace(string("tokenizer.ggml.eos_token_id"), string("tokenizer.ggml.bos_token_id"))
    with pytest.raises(ModelFileError, match=r"'tokenizer\.ggml\.bos_token_id' twice"):
        read_header(gguf_mutations.write(model, twice))


@pytest.mark.parametrize("doubles", [(b"a", b"a"), (b"a\0b", b"a\0c"), (b"[EMPTY_7]", b"")])
def test_two_equal_tokens_are_refused(parts: Parts, model: Path, doubles: tuple[bytes, bytes]) -> None:
    tokens = parts.tokens()
    tokens[6], tokens[7] = doubles
    parts.set_tokens([token for token in tokens if token != b"a" or token in doubles])
    with pytest.raises(ModelFileError, match="twice"):
        rewritten(parts, model)


def test_vocabulary_must_match_the_embedding_and_its_lists(parts: Parts, model: Path) -> None:
    tokens = parts.tokens()
    parts.set_tokens(tokens[:-1])
    with pytest.raises(ModelFileError, match="511 tokens, its embedding 512"):
        rewritten(parts, model)
    parts.set_tokens(tokens)
    parts.values["tokenizer.ggml.token_type"] = (ARRAY, struct.pack("<IQ", 5, 1) + bytes(4))
    with pytest.raises(ModelFileError, match="token_type"):
        rewritten(parts, model)


def test_sentencepiece_without_byte_tokens_is_unsupported(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", tokenizer="llama")
    parts = Parts.of(path.read_bytes())
    parts.set_tokens([token.replace(b"<0xE2>", b"<0xe2>") for token in parts.tokens()])
    with pytest.raises(UnsupportedModel, match="single bytes"):
        rewritten(parts, path)


def test_head_counts_by_layer(parts: Parts, model: Path) -> None:
    parts.values["llama.attention.head_count_kv"] = (ARRAY, struct.pack("<IQ2I", 4, 2, 2, 2))
    assert rewritten(parts, model).kv_heads == (2, 2)
    parts.values["llama.attention.head_count_kv"] = (ARRAY, struct.pack("<IQ2I", 4, 2, 2, 1))
    with pytest.raises(ModelFileError, match=r"blk\.1\.attn_k"):
        rewritten(parts, model)


def _split(parts: Parts, folder: Path, count: int = 2) -> list[Path]:
    """Write the model as two parts, all tensors but the first in the second."""
    paths = [folder / f"model-{number:05}-of-{count:05}.gguf" for number in (1, 2)]
    first, *rest = parts.tensors
    start = rest[0].offset
    for number, (path, tensors, data) in enumerate(
        zip(paths, ([first], rest), (parts.data[:start], parts.data[start:]), strict=True)
    ):
        values = dict(parts.values) if number == 0 else {"general.architecture": parts.values["general.architecture"]}
        part = Parts(values, [], data)
        base = tensors[0].offset
        part.tensors = tensors
        for tensor in tuple(tensors):
            part.change_tensor(tensor.name, offset=tensor.offset - base)
        part.values["split.no"] = (UINT16, struct.pack("<H", number))
        part.values["split.count"] = (UINT16, struct.pack("<H", count))
        part.values["split.tensors.count"] = (5, struct.pack("<i", len(parts.tensors)))
        path.write_bytes(part.joined())
    return paths


def test_split_models_are_read_whole(parts: Parts, model: Path, tmp_path: Path) -> None:
    whole = read_header(model)
    first, second = _split(parts, tmp_path)
    header = read_header(first)
    assert header.paths == (first, second)
    assert header.parameters == whole.parameters
    assert header.size_bytes == first.stat().st_size + second.stat().st_size
    with pytest.raises(UnsupportedModel, match="part 2 of a model in 2 files"):
        read_header(second)
    second.write_bytes(second.read_bytes()[:-64])
    with pytest.raises(TruncatedModel, match="64 are missing"):
        read_header(first)
    second.unlink()
    with pytest.raises(ModelFileError, match="missing: model-00002-of-00002"):
        read_header(first)


def test_a_first_part_under_another_name_is_explained(parts: Parts, tmp_path: Path) -> None:
    first, _ = _split(parts, tmp_path)
    with pytest.raises(ModelFileError, match="not named so"):
        read_header(first.rename(tmp_path / "renamed.gguf"))


def test_a_huge_sparse_file_costs_neither_time_nor_memory(tmp_path: Path) -> None:
    """A terabyte of zeros that announces lists as long as itself is given up after the header's limit."""
    path = tmp_path / "sparse.gguf"
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + string("tokenizer.ggml.tokens"))
        file.write(struct.pack("<IIQ", ARRAY, STRING, 2**33))
        file.truncate(2**36)
    tracemalloc.start()
    with pytest.raises(ModelFileError):
        read_header(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400 * 2**20


def test_long_lists_that_are_not_needed_are_stepped_over(parts: Parts, model: Path) -> None:
    parts.values["x.long"] = (ARRAY, strings([b"word"] * 300_000))
    parts.values["x.numbers"] = (ARRAY, struct.pack("<IQ", 4, 100_000) + bytes(400_000))
    header = rewritten(parts, model)
    assert "x.long" not in header.metadata
    assert header.vocabulary_size == 512
