"""Judges the vocabulary of a GGUF header: the engine stops the whole process on some that it loads."""

from collections.abc import Sequence

from codette_desktop.domain.errors import ModelFileError, UnsupportedModel
from codette_desktop.models.gguf_layout import TensorInfo
from codette_desktop.models.gguf_parser import RawHeader
from codette_desktop.models.gguf_semantics import EMBEDDERS, text
from codette_desktop.models.gguf_types import ValueType

_NONE = 2**32 - 1  # how converters write "no such token"
_NEVER_IN_UTF8 = frozenset((0xC0, 0xC1, *range(0xF5, 0x100)))
# Where the file names no beginning and end of a text, the engine takes these (llama_vocab::impl::load).
_DEFAULT_ENDS: dict[str, tuple[int, int] | None] = {
    "llama": (1, 2),
    "plamo2": (1, 2),
    "gpt2": (11, 11),
    "hybriddna": (11, 11),
    "whitespace": (11, 11),
    "gemma4": None,
    "rwkv": None,
    "bert": (101, 102),
    "t5": (_NONE, 1),
}
# Outside their own architecture these end in loops without end and uncaught exceptions.
_BOUND_TO_ARCHITECTURE = ("rwkv", "plamo")
_NO_WRITERS = frozenset(("none", "no_vocab", "test"))
_OF_ENCODERS = frozenset(("bert", "t5"))


def check_vocabulary(header: RawHeader, architecture: str, tensors: Sequence[TensorInfo]) -> tuple[str, int]:
    """The kind of tokenizer ("gpt2", "llama", ...) and the number of tokens.

    Raises ModelFileError for a vocabulary that contradicts itself or the embedding, UnsupportedModel for a kind that
    the engine cannot write with.
    """
    kind = text(header, "tokenizer.ggml.model")
    if kind is None:
        raise ModelFileError("It has no tokenizer.")
    if kind in _NO_WRITERS or (kind in _OF_ENCODERS and architecture not in EMBEDDERS):
        raise UnsupportedModel(f"Its tokenizer ('{kind}') is not one of models that write text.")
    if kind not in _DEFAULT_ENDS:
        raise UnsupportedModel(f"Its tokenizer ('{kind}') is not known.")
    for family in _BOUND_TO_ARCHITECTURE:
        if family in kind and family not in architecture:
            raise UnsupportedModel(f"Its tokenizer ('{kind}') does not belong to its architecture, '{architecture}'.")
    size = _size(header)
    _check_arrays(header, kind, size)
    _check_embedding(tensors, size)
    _check_ends(header, kind, size)
    if kind == "llama":
        _check_bytes(header.vocabulary)
    return kind, size


def _size(header: RawHeader) -> int:
    tokens = header.values.get("tokenizer.ggml.tokens")
    if tokens is None or tokens.element is not ValueType.STRING or not tokens.length:
        raise ModelFileError("It has no vocabulary.")
    if len(header.vocabulary) != tokens.length:
        doubled = tokens.length - len(header.vocabulary)
        raise ModelFileError(f"Its vocabulary contains {doubled:,} tokens twice.")
    return tokens.length


def _check_arrays(header: RawHeader, kind: str, size: int) -> None:
    for name, elements in (
        ("scores", (ValueType.FLOAT32, ValueType.INT32)),
        ("token_type", (ValueType.INT32,)),
    ):
        value = header.values.get(f"tokenizer.ggml.{name}")
        if value is not None and (value.element not in elements or value.length < size):
            raise ModelFileError(f"Its list '{name}' does not match its {size:,} tokens.")
    merges = header.values.get("tokenizer.ggml.merges")
    merging = kind in ("gpt2", "gemma4") and text(header, "tokenizer.ggml.pre") != "kimi-k2"
    if merging and (merges is None or merges.element is not ValueType.STRING):
        raise ModelFileError("Its tokenizer lacks the list of merges.")


def _check_embedding(tensors: Sequence[TensorInfo], size: int) -> None:
    for tensor in tensors:
        if tensor.name == "token_embd.weight":
            rows = tensor.shape[1] if len(tensor.shape) > 1 else 1
            if rows != size:
                raise ModelFileError(f"Its vocabulary has {size:,} tokens, its embedding {rows:,}.")
            return
    raise ModelFileError("It has no token embedding.")


def _check_ends(header: RawHeader, kind: str, size: int) -> None:
    """The tokenizer asserts that the token it shall put before (or after) every text exists."""
    defaults = _DEFAULT_ENDS[kind] or (_NONE, _NONE)
    for word, default in zip(("bos", "eos"), defaults, strict=True):
        token = _token_id(header, f"tokenizer.ggml.{word}_token_id", size)
        missing = token is None and default >= size
        if missing and _adds(header, kind, word):
            raise ModelFileError(f"Its tokenizer adds a token ({word}) to every text that is not in its vocabulary.")
    _token_id(header, "tokenizer.ggml.eot_token_id", size)


def _token_id(header: RawHeader, key: str, size: int) -> int | None:
    value = header.values.get(key)
    if value is None:
        return None
    if value.type is not ValueType.UINT32 or not isinstance(value.scalar, int):
        raise ModelFileError(f"The metadata value '{key}' is not the number of a token.")
    if value.scalar == _NONE:
        return None
    if value.scalar >= size:
        raise ModelFileError(f"The metadata value '{key}' is token {value.scalar:,}; there are only {size:,}.")
    return value.scalar


def _adds(header: RawHeader, kind: str, word: str) -> bool:
    """Whether the tokenizer may put that token around texts; where the file does not say, `bos` is assumed."""
    value = header.values.get(f"tokenizer.ggml.add_{word}_token")
    if kind == "gemma4" and word == "bos":  # the engine adds it whatever the file says
        return True
    if value is None:
        return word == "bos" and kind != "rwkv"
    return value.scalar is not False


def _check_bytes(vocabulary: set[bytes]) -> None:
    """A character without a token is written byte by byte; a missing byte ends in an exception nobody catches."""
    for byte in range(256):
        written = b"<0x%02X>" % byte in vocabulary or bytes((byte,)) in vocabulary
        if not written and byte not in _NEVER_IN_UTF8:
            raise UnsupportedModel("Its vocabulary cannot write every character: it lacks tokens for single bytes.")
