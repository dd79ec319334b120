"""Real, small llama-architecture GGUF files with random weights: they load, tokenise and generate in llama.cpp.

`write_model(path)` writes one of about 0.14 M parameters in a few milliseconds; `write_model(path, tokenizer="llama",
quantisation="Q8_0")` chooses what matters to a test; `write_large_model(path)` writes one of 134 M parameters for
benchmarks. Equal arguments give equal bytes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np
import numpy.typing as npt

Tokenizer = Literal["gpt2", "llama"]
Quantisation = Literal["F32", "F16", "Q8_0", "Q4_0"]

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_WORDS = (
    "the of and to in is that it for was on are as with his they be at one have this from or had by hot but some what "
    "there we can out other were all your when up use word how said an each she which do their time if will way about "
    "many then them would write like so these her long make thing see him two has look more day could go come did my "
    "sound no most number who over know water than call first people may down side been now find any new work part "
    "model answer question memory token context window system user assistant compare explain quantised layer"
).split()
_FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7}
_TENSOR_TYPES = {name: gguf.GGMLQuantizationType[name] for name in _FILE_TYPES}
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What a test may choose. `width` and `feed_forward` must be multiples of 32 for Q8_0 and Q4_0; `width` of `heads`.

    `head_size` None: `width` is shared among `heads`. `vocabulary` counts tokens, at least 300. `chat_template` None
    leaves the key out. `tied` shares the output matrix with the embedding, `pooling` is llama.cpp's number of it.
    `common` is the share of its merges (byte-level BPE) that models of every seed have, the rest are the seed's own.
    """

    layers: int = 2
    width: int = 64
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 128
    head_size: int | None = None
    vocabulary: int = 512
    context_length: int = 512
    tokenizer: Tokenizer = "gpt2"
    quantisation: Quantisation = "F32"
    name: str = "Tiny Test"
    chat_template: str | None = CHATML
    tied: bool = False
    pooling: int | None = None
    seed: int = 0
    common: float = 0.0


LARGE = ModelShape(
    layers=12,
    width=768,
    heads=12,
    kv_heads=12,
    feed_forward=2048,
    vocabulary=32_000,
    context_length=4096,
    quantisation="Q8_0",
    name="Large Test",
)


def write_model(
    path: Path,
    shape: ModelShape | None = None,
    *,
    added: Mapping[str, npt.NDArray[np.float32]] | None = None,
    **changes: Any,
) -> Path:
    """Write a model of `shape` (default: the smallest), with some of its fields changed. Returns `path`.

    `added` is added to the weights of those names, in 32 bits.
    """
    shape = replace(shape or ModelShape(), **changes)
    writer = gguf.GGUFWriter(path, "llama")
    _add_hyperparameters(writer, shape)
    if shape.tokenizer == "gpt2":
        _add_byte_level_bpe(writer, shape)
    else:
        _add_sentencepiece(writer, shape)
    if shape.chat_template is not None:
        writer.add_chat_template(shape.chat_template)
    for name, plain in weights_of(shape):
        weights = plain + added[name] if added and name in added else plain
        kind = _TENSOR_TYPES[shape.quantisation if weights.ndim > 1 else "F32"]
        writer.add_tensor(name, gguf.quants.quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_large_model(path: Path, quantisation: Quantisation = "Q8_0", **changes: Any) -> Path:
    """Write a model of 134 M parameters (142 MB in Q8_0, 75 MB in Q4_0), for speed to be measured on."""
    return write_model(path, LARGE, quantisation=quantisation, **changes)


def write_vocabulary_heavy_model(path: Path, vocabulary: int = 150_000, **changes: Any) -> Path:
    """Write a model of one thin layer with a vocabulary as long as those of today's large models."""
    return write_model(path, layers=1, width=32, heads=2, kv_heads=2, feed_forward=32, vocabulary=vocabulary, **changes)


def _add_hyperparameters(writer: gguf.GGUFWriter, shape: ModelShape) -> None:
    writer.add_name(shape.name)
    writer.add_file_type(_FILE_TYPES[shape.quantisation])
    writer.add_quantization_version(2)
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.head_size or shape.width // shape.heads)
    if shape.head_size is not None:
        writer.add_key_length(shape.head_size)
        writer.add_value_length(shape.head_size)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(shape.vocabulary)
    if shape.pooling is not None:
        writer.add_pooling_type(gguf.PoolingType(shape.pooling))


def _byte_characters() -> list[str]:
    """The 256 printable characters by which byte-level BPE (GPT-2) writes bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(spare)) for byte in range(256)]


def _merges(count: int, known: set[str], seed: int) -> Iterator[tuple[str, str]]:
    """`count` merges whose results are new tokens: first those of common words, then random syllables."""
    made = 0
    letters = "abcdefghijklmnopqrstuvwxyz"
    grown = list(letters)
    rng = np.random.default_rng(seed)
    for word in _WORDS:
        for end in range(1, len(word) + 1):
            left, right = ("Ġ" + word[: end - 1]), word[end - 1]
            if made < count and left + right not in known:
                known.add(left + right)
                made += 1
                yield left, right
    while made < count:
        left = grown[int(rng.integers(len(grown)))]
        right = letters[int(rng.integers(len(letters)))]
        if len(left) < 12 and left + right not in known:
            known.add(left + right)
            grown.append(left + right)
            made += 1
            yield left, right


def _add_byte_level_bpe(writer: gguf.GGUFWriter, shape: ModelShape) -> None:
    tokens = [*_SPECIALS, *_byte_characters()]
    count, known = shape.vocabulary - len(tokens), set(tokens)
    shared = int(shape.common * count)
    merges = [*_merges(shared, known, 0), *_merges(count - shared, known, shape.seed)]
    tokens += [left + right for left, right in merges]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([_CONTROL] * len(_SPECIALS) + [_NORMAL] * (len(tokens) - len(_SPECIALS)))
    writer.add_token_merges([f"{left} {right}" for left, right in merges])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)


def _add_sentencepiece(writer: gguf.GGUFWriter, shape: ModelShape) -> None:
    specials = ("<unk>", "<s>", "</s>")
    added = ("<|im_start|>", "<|im_end|>")
    tokens = [*specials, *(f"<0x{byte:02X}>" for byte in range(256)), *added]
    types = [_UNKNOWN, _CONTROL, _CONTROL, *([_BYTE] * 256), *([_CONTROL] * len(added))]
    pieces = ["▁", *map(chr, range(33, 127))]
    pieces = pieces[: max(0, shape.vocabulary - len(tokens))]
    known = {piece.replace("▁", "Ġ") for piece in pieces}
    extra = _merges(shape.vocabulary - len(tokens) - len(pieces), known, shape.seed)
    pieces += [(left + right).replace("Ġ", "▁") for left, right in extra]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens + pieces)
    writer.add_token_types(types + [_NORMAL] * len(pieces))
    writer.add_token_scores([0.0] * len(tokens) + [-float(rank) for rank in range(len(pieces))])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(len(tokens) - 1)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(True)


def weights_of(shape: ModelShape) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Every tensor of the model: matrices of shape (outputs, inputs) scaled by 1/sqrt(inputs), norms of ones."""
    rng = np.random.default_rng(shape.seed)
    width, inner = shape.width, shape.feed_forward
    head = shape.head_size or width // shape.heads
    kv_width = head * shape.kv_heads

    def matrix(outputs: int, inputs: int) -> npt.NDArray[np.float32]:
        return rng.standard_normal((outputs, inputs), dtype=np.float32) / np.float32(inputs**0.5)

    yield "token_embd.weight", matrix(shape.vocabulary, width)
    for layer in range(shape.layers):
        prefix = f"blk.{layer}."
        yield prefix + "attn_norm.weight", np.ones(width, np.float32)
        yield prefix + "attn_q.weight", matrix(head * shape.heads, width)
        yield prefix + "attn_k.weight", matrix(kv_width, width)
        yield prefix + "attn_v.weight", matrix(kv_width, width)
        yield prefix + "attn_output.weight", matrix(width, head * shape.heads)
        yield prefix + "ffn_norm.weight", np.ones(width, np.float32)
        yield prefix + "ffn_gate.weight", matrix(inner, width)
        yield prefix + "ffn_up.weight", matrix(inner, width)
        yield prefix + "ffn_down.weight", matrix(width, inner)
    yield "output_norm.weight", np.ones(width, np.float32)
    if not shape.tied:
        yield "output.weight", matrix(shape.vocabulary, width)
