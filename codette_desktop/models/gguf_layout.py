"""Judges the tensor list of a GGUF header: shapes, storage types, and whether the data they name is all there."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from codette_desktop.domain.errors import ModelFileError, TruncatedModel, UnsupportedModel
from codette_desktop.models.gguf_parser import RawHeader, RawTensor
from codette_desktop.models.gguf_types import REMOVED_TENSOR_TYPES, TENSOR_TYPES, TensorType, ValueType

_DEFAULT_ALIGNMENT = 32
_ENGINE_ALIGNMENT = 32  # TENSOR_ALIGNMENT of ggml: it stops the process on a mapped file that is aligned to less
_LARGEST_ALIGNMENT = 2**20
_MOST_ELEMENTS = 2**63 - 1
_INDEX_TABLE = "tid2eid"  # the one kind of tensor that is rightly made of integers: token to expert


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor: `shape` fastest dimension first, `type` as in "Q4_K", `offset` in the file and `size` in bytes."""

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int
    size_bytes: int

    @property
    def elements(self) -> int:
        """The number of weights."""
        return math.prod(self.shape)


def alignment(header: RawHeader) -> int:
    """The alignment of the tensors' data in bytes; raises ModelFileError where it cannot be one."""
    value = header.values.get("general.alignment")
    if value is None:
        return _DEFAULT_ALIGNMENT
    if value.type is not ValueType.UINT32 or not isinstance(value.scalar, int):
        raise ModelFileError("Its alignment is not stored as a whole number of 32 bits.")
    chosen = value.scalar
    if chosen <= 0 or chosen & (chosen - 1):
        raise ModelFileError(f"Its alignment of {chosen:,} bytes is not a power of two.")
    if chosen > _LARGEST_ALIGNMENT:
        raise ModelFileError(f"Its alignment of {chosen:,} bytes is larger than any file needs.")
    if chosen < _ENGINE_ALIGNMENT:
        raise UnsupportedModel(f"Its data is aligned to {chosen} bytes; the engine needs {_ENGINE_ALIGNMENT}.")
    return chosen


def lay_out(header: RawHeader) -> list[TensorInfo]:
    """Every tensor with its place in the file, checked: one after the other, without gaps, and complete.

    Raises ModelFileError for a contradiction, UnsupportedModel for a type the engine cannot compute with, and
    TruncatedModel, saying how many bytes are missing, where the file ends too early.
    """
    step = alignment(header)
    start = _padded(header.header_bytes, step)
    expected = 0
    tensors: list[TensorInfo] = []
    for raw in header.tensors:
        size = _size(raw, _storage(raw))
        _check_offset(raw, expected, step)
        expected = _padded(raw.offset + size, step)
        tensors.append(TensorInfo(raw.name, raw.dimensions, TENSOR_TYPES[raw.type].name, start + raw.offset, size))
    _check_complete(tensors, header.file_bytes)
    return tensors


def _padded(position: int, step: int) -> int:
    return (position + step - 1) // step * step


def _storage(raw: RawTensor) -> TensorType:
    """The tensor's type, if the engine can compute with it where this tensor is used."""
    kind = TENSOR_TYPES.get(raw.type)
    if kind is None:
        if raw.type in REMOVED_TENSOR_TYPES:
            raise UnsupportedModel(f"The tensor '{raw.name}' is stored in a type (number {raw.type}) that was removed.")
        raise UnsupportedModel(f"The tensor '{raw.name}' is stored in a type (number {raw.type}) that is not known.")
    if kind.name == "I32" and _INDEX_TABLE in raw.name:
        return kind
    if not kind.computable:
        raise UnsupportedModel(
            f"The tensor '{raw.name}' is stored as {kind.name}, which the engine cannot compute with."
        )
    multiplied = raw.name.endswith((".lora_a", ".lora_b"))
    added = raw.name.endswith(("_norm.weight", ".bias")) or (math.prod(raw.dimensions[1:]) == 1 and not multiplied)
    if added and kind.name != "F32":
        raise UnsupportedModel(f"The tensor '{raw.name}' is stored as {kind.name}; the engine needs F32 there.")
    return kind


def _size(raw: RawTensor, kind: TensorType) -> int:
    """The tensor's size in bytes."""
    if 0 in raw.dimensions:
        raise ModelFileError(f"The tensor '{raw.name}' has a dimension of 0.")
    elements = math.prod(raw.dimensions)
    if elements > _MOST_ELEMENTS:
        raise ModelFileError(f"The tensor '{raw.name}' has more elements than any computer can count.")
    row = raw.dimensions[0] if raw.dimensions else 1
    if row % kind.block:
        raise ModelFileError(
            f"The tensor '{raw.name}' has rows of {row:,}, not a multiple of {kind.name}'s {kind.block}."
        )
    return elements // kind.block * kind.block_bytes


def _check_offset(raw: RawTensor, expected: int, step: int) -> None:
    if raw.offset % step:
        raise ModelFileError(f"The data of tensor '{raw.name}' does not begin at a multiple of {step} bytes.")
    if raw.offset < expected:
        raise ModelFileError(f"The data of tensor '{raw.name}' overlaps with that of another.")
    if raw.offset > expected:
        raise ModelFileError(f"The data of tensor '{raw.name}' does not follow that of the tensor before it.")


def _check_complete(tensors: Iterable[TensorInfo], file_bytes: int) -> None:
    end = max((tensor.offset + tensor.size_bytes for tensor in tensors), default=0)
    if end > file_bytes:
        raise TruncatedModel(f"The file should be {end:,} bytes long: {end - file_bytes:,} are missing.")
