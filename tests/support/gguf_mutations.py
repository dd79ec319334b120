"""Damages real GGUF files: by the byte, and by writing a header again with single things in it changed.

`Parts` takes a file apart without judging it and writes it again. `mutants(source, seed)` gives an endless, seeded
stream of damaged files.
"""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
UINT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 2, 4, 5, 6, 7, 8, 9, 10
_NUMBERS = (0, 1, 2, 3, 5, 7, 8, 15, 31, 33, 63, 64, 65, 127, 255, 511, 512, 513, 65_535, 2**31 - 1, 2**31, 2**32 - 1)
_FLOATS = (0.0, -0.0, -1.0, 1e-30, 1e30, float("nan"), float("inf"), float("-inf"))


def string(text: str | bytes) -> bytes:
    """A string as GGUF writes it."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def strings(texts: list[bytes]) -> bytes:
    """The value of an array of strings."""
    return struct.pack("<IQ", STRING, len(texts)) + b"".join(map(string, texts))


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's entry; `offset` from the start of the data."""

    name: str
    dimensions: tuple[int, ...]
    type: int
    offset: int


@dataclass(slots=True)
class Parts:
    """A GGUF file taken apart; `values` maps names to the type and the raw bytes that follow it."""

    values: dict[str, tuple[int, bytes]]
    tensors: list[Tensor]
    data: bytes
    version: int = 3
    alignment: int = 32

    @classmethod
    def of(cls, source: bytes) -> "Parts":
        """Take a well-formed file apart."""
        version, tensor_count, value_count = struct.unpack_from("<IQQ", source, 4)
        position = 24
        values: dict[str, tuple[int, bytes]] = {}
        for _ in range(value_count):
            key, position = _read_string(source, position)
            (kind,) = struct.unpack_from("<I", source, position)
            end = _value_end(source, position + 4, kind)
            values[key.decode()] = (kind, source[position + 4 : end])
            position = end
        tensors: list[Tensor] = []
        for _ in range(tensor_count):
            name, position = _read_string(source, position)
            (rank,) = struct.unpack_from("<I", source, position)
            *dimensions, kind, offset = struct.unpack_from(f"<{rank}QIQ", source, position + 4)
            position += 4 + 8 * rank + 12
            tensors.append(Tensor(name.decode(), tuple(dimensions), kind, offset))
        return cls(values, tensors, source[(position + 31) // 32 * 32 :], version)

    def joined(self) -> bytes:
        """The file they make."""
        header = b"GGUF" + struct.pack("<IQQ", self.version, len(self.tensors), len(self.values))
        for key, (kind, raw) in self.values.items():
            header += string(key) + struct.pack("<I", kind) + raw
        for tensor in self.tensors:
            rank = len(tensor.dimensions)
            layout = f"<I{rank}QIQ"
            header += string(tensor.name) + struct.pack(layout, rank, *tensor.dimensions, tensor.type, tensor.offset)
        return header + bytes(-len(header) % self.alignment) + self.data

    def set_number(self, key: str, number: int) -> None:
        """Store `number` as UINT32 under `key`."""
        self.values[key] = (UINT32, struct.pack("<I", number))

    def change_tensor(self, name: str, /, **changes: object) -> None:
        """Change fields of the tensor `name`."""
        place = next(place for place, tensor in enumerate(self.tensors) if tensor.name == name)
        self.tensors[place] = replace(self.tensors[place], **changes)  # type: ignore[arg-type]

    def tokens(self) -> list[bytes]:
        """The vocabulary."""
        raw = self.values["tokenizer.ggml.tokens"][1]
        (count,) = struct.unpack_from("<Q", raw, 4)
        found: list[bytes] = []
        position = 12
        for _ in range(count):
            token, position = _read_string(raw, position)
            found.append(token)
        return found

    def set_tokens(self, tokens: list[bytes]) -> None:
        """Replace the vocabulary."""
        self.values["tokenizer.ggml.tokens"] = (ARRAY, strings(tokens))


def _read_string(source: bytes, position: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("<Q", source, position)
    end = position + 8 + length
    return source[position + 8 : end], end


def _value_end(source: bytes, position: int, kind: int) -> int:
    if kind == STRING:
        return _read_string(source, position)[1]
    if kind != ARRAY:
        return position + SIZES[kind]
    element, count = struct.unpack_from("<IQ", source, position)
    position += 12
    if element != STRING:
        return position + count * SIZES[element]
    for _ in range(count):
        position = _read_string(source, position)[1]
    return position


def header_bytes(source: bytes) -> int:
    """Where the data of a well-formed file begins, but for the padding."""
    return len(source) - len(Parts.of(source).data)


def mutants(source: bytes, seed: int) -> Iterator[tuple[str, bytes]]:
    """An endless stream of (what was done, the damaged file), the same for the same seed."""
    chance = random.Random(seed)
    header = header_bytes(source)
    while True:
        kind = chance.choice(_KINDS)
        yield kind.__name__.strip("_"), kind(source, header, chance)


def meaningful_mutants(source: bytes, seed: int) -> Iterator[tuple[str, bytes]]:
    """As `mutants`, but without damage that every reader notices: headers that mean something else, changed weights."""
    chance = random.Random(seed)
    header = header_bytes(source)
    while True:
        kind = chance.choice(_MEANINGS)
        yield kind.__name__.strip("_"), kind(source, header, chance)


def _truncated(source: bytes, header: int, chance: random.Random) -> bytes:
    return source[: chance.randrange(header if chance.random() < 0.7 else len(source))]


def _flipped_in_header(source: bytes, header: int, chance: random.Random) -> bytes:
    damaged = bytearray(source)
    for _ in range(chance.randint(1, 6)):
        damaged[chance.randrange(header)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(damaged)


def _flipped_bit(source: bytes, header: int, chance: random.Random) -> bytes:
    damaged = bytearray(source)
    damaged[chance.randrange(header)] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _changed_weights(source: bytes, header: int, chance: random.Random) -> bytes:
    damaged = bytearray(source)
    for _ in range(chance.randint(1, 200)):
        damaged[chance.randrange(header, len(source))] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(damaged)


def _huge_count(source: bytes, header: int, chance: random.Random) -> bytes:
    huge = struct.pack("<Q", chance.choice((2**63, 2**64 - 1, 2**40, 2**31, len(source), len(source) // 25)))
    place = chance.choice((8, 16, chance.randrange(24, header - 8)))
    return source[:place] + huge + source[place + 8 :]


def _garbage(source: bytes, header: int, chance: random.Random) -> bytes:
    start = chance.choice((b"", b"GGUF", b"GGUF\x03\0\0\0", source[: chance.randrange(header)]))
    return start + chance.randbytes(chance.randrange(4096))


def _cut_out(source: bytes, header: int, chance: random.Random) -> bytes:
    start = chance.randrange(header)
    return source[:start] + source[start + chance.randint(1, 64) :]


def _tensor_changed(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    tensor = chance.choice(parts.tensors)
    dimensions = list(tensor.dimensions)
    dimensions[chance.randrange(len(dimensions))] = chance.choice((0, 1, 2, 31, 64, 2**31, 2**62, 2**64 - 1))
    change = chance.choice(
        (
            {"type": chance.randrange(48)},
            {"type": 28},
            {"offset": chance.choice((0, 1, 32, 64, 2**40, 2**64 - 32, tensor.offset + 32))},
            {"dimensions": tuple(dimensions)},
            {"dimensions": tuple(reversed(tensor.dimensions))},
            {"name": chance.choice(("x" * 63, "blk.7.attn_q.weight", "rope_freqs.weight", "output.bias"))},
        )
    )
    parts.change_tensor(tensor.name, **change)
    return parts.joined()


def _number_changed(source: bytes, header: int, chance: random.Random) -> bytes:
    """Another number under a key that has one, or under one that the engine would look for."""
    parts = Parts.of(source)
    there = [key for key, (kind, _) in parts.values.items() if kind == UINT32]
    parts.set_number(chance.choice((*there, *_SOUGHT)), chance.choice(_NUMBERS))
    return parts.joined()


def _several_numbers_changed(source: bytes, header: int, chance: random.Random) -> bytes:
    for _ in range(3):
        source = _number_changed(source, header, chance)
    return source


def _float_changed(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    there = [key for key, (kind, _) in parts.values.items() if kind == FLOAT32]
    parts.values[chance.choice((*there, *_SOUGHT_FLOATS))] = (FLOAT32, struct.pack("<f", chance.choice(_FLOATS)))
    return parts.joined()


def _text_or_flag_added(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    key, texts = chance.choice(_SOUGHT_TEXTS)
    if texts:
        parts.values[key] = (STRING, string(chance.choice(texts)))
    else:
        parts.values[key] = (BOOL, bytes((chance.choice((0, 1, 2, 255)),)))
    return parts.joined()


def _value_removed(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    del parts.values[chance.choice(list(parts.values))]
    return parts.joined()


def _value_retyped(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    key = chance.choice(list(parts.values))
    _, raw = parts.values[key]
    kind = chance.choice(list(SIZES))
    parts.values[key] = (kind, raw[: SIZES[kind]].ljust(SIZES[kind], b"\0"))
    return parts.joined()


def _per_layer(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    key = chance.choice(("head_count", "head_count_kv"))
    values = [chance.choice((0, 1, 2, 4, 8, 2**31 - 1)) for _ in range(chance.choice((1, 2, 2, 2, 3)))]
    packed = struct.pack(f"<IQ{len(values)}I", UINT32, len(values), *values)
    parts.values[f"llama.attention.{key}"] = (ARRAY, packed)
    return parts.joined()


def _token_changed(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    tokens = parts.tokens()
    for _ in range(chance.randint(1, 4)):
        other = chance.choice(
            (b"", b"\0", b"a\0b", b"<0x0A>", b"<0x", b"\xff\xfe", b"[EMPTY_3]", b"<|im_end|>", b"x" * 9999)
        )
        tokens[chance.randrange(len(tokens))] = other
    parts.set_tokens(tokens)
    return parts.joined()


def _token_types_changed(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    count = len(parts.tokens())
    kinds = [chance.choice((0, 1, 2, 3, 4, 5, 6, 7, -1, 2**31 - 1)) for _ in range(count)]
    parts.values["tokenizer.ggml.token_type"] = (ARRAY, struct.pack(f"<IQ{count}i", INT32, count, *kinds))
    return parts.joined()


def _scores_changed(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    count = len(parts.tokens())
    scores = [chance.choice(_FLOATS) for _ in range(count)]
    parts.values["tokenizer.ggml.scores"] = (ARRAY, struct.pack(f"<IQ{count}f", FLOAT32, count, *scores))
    return parts.joined()


def _merges_changed(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    texts = [b"", b" ", b"a", b"a b", b" a", b"  ", b"a b c", b"\xff \xfe", b"x" * 500]
    merges = [chance.choice(texts) for _ in range(chance.randrange(300))]
    parts.values["tokenizer.ggml.merges"] = (ARRAY, strings(merges))
    return parts.joined()


def _aligned_otherwise(source: bytes, header: int, chance: random.Random) -> bytes:
    parts = Parts.of(source)
    alignment = chance.choice((0, 1, 2, 4, 8, 16, 24, 32, 64, 128, 4096, 2**20, 2**30, 2**31, 2**32 - 1))
    parts.set_number("general.alignment", alignment)
    return parts.joined()


_SOUGHT = tuple(f"llama.{key}" for key in (
    "expert_count expert_used_count expert_group_count expert_group_used_count nextn_predict_layers pooling_type "
    "attention.key_length attention.value_length attention.head_count attention.head_count_kv attention.sliding_window "
    "rope.dimension_count rope.scaling.original_context_length embedding_length_out attention.key_length_swa "
    "attention.value_length_swa rope.dimension_count_swa context_length block_count feed_forward_length vocab_size"
).split()) + tuple(f"tokenizer.ggml.{word}_token_id" for word in (
    "bos eos eot eom unknown seperator padding mask fim_pre fim_suf fim_mid fim_pad fim_rep fim_sep prefix suffix"
).split()) + ("tokenizer.ggml.token_type_count", "general.file_type", "general.quantization_version")  # fmt: skip
_SOUGHT_FLOATS = tuple(f"llama.{key}" for key in (
    "attention.layer_norm_epsilon attention.layer_norm_rms_epsilon attention.clamp_kqv attention.max_alibi_bias "
    "attention.scale logit_scale rope.freq_base rope.scale_linear rope.scaling.factor rope.scaling.attn_factor "
    "rope.scaling.alpha rope.scaling.yarn_ext_factor rope.scaling.yarn_beta_fast residual_scale embedding_scale "
    "expert_weights_scale attn_logit_softcapping final_logit_softcapping"
).split())  # fmt: skip
_SOUGHT_TEXTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("llama.rope.scaling.type", ("none", "linear", "yarn", "longrope", "su", "")),
    (
        "tokenizer.ggml.model",
        ("gpt2", "llama", "bert", "t5", "rwkv", "plamo2", "none", "gemma4", "whitespace", "hybriddna"),
    ),
    ("tokenizer.ggml.pre", ("default", "llama-bpe", "qwen2", "kimi-k2", "gemma4", "deepseek-v3", "nonsense", "")),
    (
        "general.architecture",
        ("qwen2", "gemma", "gemma2", "phi3", "mamba", "falcon", "gpt2", "bert", "deci", "unknown", ""),
    ),
    ("general.type", ("model", "adapter", "mmproj", "")),
    ("llama.attention.causal", ()),
    ("llama.use_parallel_residual", ()),
    ("llama.rope.scaling.finetuned", ()),
    ("tokenizer.ggml.add_bos_token", ()),
    ("tokenizer.ggml.add_eos_token", ()),
    ("tokenizer.ggml.add_space_prefix", ()),
    ("tokenizer.ggml.remove_extra_whitespaces", ()),
)
_Mutation = Callable[[bytes, int, random.Random], bytes]
_MEANINGS: tuple[_Mutation, ...] = (
    _changed_weights,
    _number_changed,
    _number_changed,
    _several_numbers_changed,
    _float_changed,
    _float_changed,
    _text_or_flag_added,
    _text_or_flag_added,
    _value_removed,
    _value_retyped,
    _per_layer,
    _tensor_changed,
    _token_changed,
    _token_types_changed,
    _scores_changed,
    _merges_changed,
    _aligned_otherwise,
    _flipped_bit,
    _flipped_in_header,
)
_KINDS: tuple[_Mutation, ...] = (
    *_MEANINGS,
    *((_truncated, _flipped_in_header, _flipped_bit, _huge_count, _garbage, _cut_out) * 2),
)


def write(path: Path, content: bytes) -> Path:
    """Write `content` and give the path."""
    path.write_bytes(content)
    return path
