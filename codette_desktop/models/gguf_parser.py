"""Reads the header of a GGUF file into plain values, without trusting a single number in it.

The file is read in pieces as far as its header reaches, never mapped into memory: a map of a file that another program
shortens at the same time would kill the process. Every count is compared with the bytes that are left before anything
is done as many times as it says, so that work and memory are bounded by the header's real size, at most
`HEADER_LIMIT`. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import length_hint
from typing import BinaryIO

from codette_desktop.domain.errors import ModelFileError, TruncatedModel, UnsupportedModel
from codette_desktop.models.gguf_types import SCALARS, ValueType

HEADER_LIMIT = 128 * 2**20
_FIRST_READ = 1 << 19
_KEPT_STRINGS = 64
_KEPT_NUMBERS = 4096
_MOST_TOKENS = 4_194_304
_LONGEST_KEY = 65_535
_LONGEST_TENSOR_NAME = 63  # ggml keeps 64 bytes with the final zero
_VOCABULARY = "tokenizer.ggml.tokens"

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
_SMALLEST_VALUE = 8 + 1 + 4 + 1  # length, a key of one byte, type, one byte
_SMALLEST_TENSOR = 8 + 1 + 4 + 4 + 8  # length, a name of one byte, dimensions, type, offset

Scalar = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Value:
    """A metadata value. Arrays keep their element type and length; `items` only where they are short."""

    type: ValueType
    scalar: Scalar | None = None
    element: ValueType | None = None
    length: int = 0
    items: Sequence[Scalar] | None = None


@dataclass(frozen=True, slots=True)
class RawTensor:
    """A tensor as the header names it; `dimensions` fastest first, `offset` from the start of the data, in bytes."""

    name: str
    dimensions: tuple[int, ...]
    type: int
    offset: int


@dataclass(slots=True)
class RawHeader:
    """What the header says, readable but not yet judged. `header_bytes` is where the tensor list ends.

    `vocabulary` holds the tokens as the engine will see them, cut at a zero byte; equal ones have fallen together.
    """

    version: int
    file_bytes: int
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    tensors: list[RawTensor] = field(default_factory=list[RawTensor])
    vocabulary: set[bytes] = field(default_factory=set[bytes])
    header_bytes: int = 0


class _Cursor:
    """A position in a file that is read in growing pieces; asking beyond its end is a TruncatedModel."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size
        self.data = b""
        self.position = 0

    def need(self, count: int) -> None:
        """Make sure that `count` bytes from the position on are in `data`."""
        end = self.position + count
        if end <= len(self.data):
            return
        if end > self.size:
            raise TruncatedModel(f"The file ends within its header, at least {end - self.size:,} bytes are missing.")
        if end > HEADER_LIMIT:
            raise ModelFileError(f"Its header is longer than {HEADER_LIMIT >> 20} MiB.")
        wanted = min(self.size, max(end, 4 * len(self.data), _FIRST_READ))
        self.data += self._file.read(wanted - len(self.data))
        if len(self.data) < end:
            raise TruncatedModel("The file became shorter while it was read.")

    def scalar(self, layout: struct.Struct) -> int | float | bool:
        self.need(layout.size)
        value = layout.unpack_from(self.data, self.position)[0]
        self.position += layout.size
        return value

    def u32(self) -> int:
        return int(self.scalar(_U32))

    def u64(self) -> int:
        return int(self.scalar(_U64))

    def count(self, what: str, smallest: int) -> int:
        """A number of things of at least `smallest` bytes each, which must fit into the rest of the file."""
        count = self.u64()
        left = self.size - self.position
        if count > left // smallest:
            raise ModelFileError(f"Its header announces {count:,} {what}, more than the file can hold.")
        return count

    def text(self, longest: int, what: str) -> str:
        """A string that the engine looks things up by: UTF-8, not empty, without a zero byte."""
        length = self.u64()
        if not 0 < length <= longest:
            raise ModelFileError(f"{what} is {length:,} bytes long; 1 to {longest:,} are allowed.")
        raw = self.raw(length)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise ModelFileError(f"{what} is not readable text.") from None
        if "\0" in text:
            raise ModelFileError(f"{what} contains a zero byte.")
        return text

    def raw(self, length: int) -> bytes:
        self.need(length)
        start = self.position
        self.position += length
        return self.data[start : self.position]

    def string(self) -> str:
        """Any text; what is not UTF-8 is replaced."""
        return self.raw(self.u64()).decode(errors="replace")


def parse(file: BinaryIO, size: int) -> RawHeader:
    """Read the header of `file`, which is `size` bytes long, from its beginning."""
    cursor = _Cursor(file, size)
    _check_magic(cursor)
    version = _version(cursor)
    tensor_count = cursor.count("tensors", _SMALLEST_TENSOR)
    value_count = cursor.count("metadata values", _SMALLEST_VALUE)
    header = RawHeader(version=version, file_bytes=size)
    for number in range(value_count):
        key = cursor.text(_LONGEST_KEY, f"The name of metadata value {number + 1}")
        if key in header.values:
            raise ModelFileError(f"Its metadata names '{key}' twice.")
        header.values[key] = _value(cursor, key, header)
    names: set[str] = set()
    for number in range(tensor_count):
        tensor = _tensor(cursor, number)
        if tensor.name in names:
            raise ModelFileError(f"It contains the tensor '{tensor.name}' twice.")
        names.add(tensor.name)
        header.tensors.append(tensor)
    header.header_bytes = cursor.position
    return header


def _check_magic(cursor: _Cursor) -> None:
    if cursor.size == 0:
        raise ModelFileError("The file is empty.")
    magic = cursor.raw(min(4, cursor.size))
    if magic != b"GGUF":
        if b"GGUF".startswith(magic):
            raise TruncatedModel("The file ends after its first bytes.")
        if magic in (b"lmgg", b"fmgg", b"tjgg", b"algg"):
            raise UnsupportedModel("The file is in the GGML format of before August 2023, no longer supported.")
        raise ModelFileError("The file is not a GGUF model: it does not begin with the letters GGUF.")


def _version(cursor: _Cursor) -> int:
    version = cursor.u32()
    if version in (2, 3):
        return version
    if version == 1:
        raise UnsupportedModel("The file is in version 1 of the GGUF format, which is no longer supported.")
    if version and version & 0xFFFF == 0:
        raise UnsupportedModel("The file was written for big-endian computers.")
    raise UnsupportedModel(f"The file is in version {version} of the GGUF format; versions 2 and 3 can be read.")


def _value_type(cursor: _Cursor, key: str) -> ValueType:
    number = cursor.u32()
    try:
        return ValueType(number)
    except ValueError:
        raise ModelFileError(f"The metadata value '{key}' has the unknown type {number}.") from None


def _value(cursor: _Cursor, key: str, header: RawHeader) -> Value:
    kind = _value_type(cursor, key)
    if kind is ValueType.STRING:
        return Value(kind, cursor.string())
    if kind is not ValueType.ARRAY:
        return Value(kind, cursor.scalar(SCALARS[kind]))
    element = _value_type(cursor, key)
    if element is ValueType.ARRAY:
        raise UnsupportedModel(f"The metadata value '{key}' is an array of arrays, which cannot be read.")
    if element is ValueType.STRING:
        return _string_array(cursor, key, header)
    layout = SCALARS[element]
    length = cursor.count(f"elements of '{key}'", layout.size)
    raw = cursor.raw(length * layout.size)
    items = [item[0] for item in layout.iter_unpack(raw)] if length <= _KEPT_NUMBERS else None
    return Value(ValueType.ARRAY, None, element, length, items)


def _string_array(cursor: _Cursor, key: str, header: RawHeader) -> Value:
    length = cursor.count(f"elements of '{key}'", 8)
    items: list[Scalar] | None = None
    if key == _VOCABULARY:
        header.vocabulary = _vocabulary(cursor, length)
    elif length <= _KEPT_STRINGS:
        items = [cursor.string() for _ in range(length)]
    else:
        _skip_strings(cursor, length)
    return Value(ValueType.ARRAY, None, ValueType.STRING, length, items)


def _skip_strings(cursor: _Cursor, count: int) -> None:
    """Step over `count` strings: 150,000 in about 15 ms, because the loop is bare and runs until it leaves the data."""
    unpack = _U64.unpack_from
    while count:
        cursor.need(8)
        data, position, rounds = cursor.data, cursor.position, repeat(None, count)
        try:
            for _ in rounds:
                position += unpack(data, position)[0] + 8
            count = 0
        except (struct.error, IndexError, OverflowError):  # this string's length lies beyond `data`
            count = length_hint(rounds) + 1
        if position > cursor.size:
            raise TruncatedModel("The file ends within a list of its header.")
        cursor.position = position


def _vocabulary(cursor: _Cursor, count: int) -> set[bytes]:
    """The tokens as the engine will see them. It stops the whole process if two of them are equal."""
    if count > _MOST_TOKENS:
        raise ModelFileError(f"Its vocabulary is said to have {count:,} tokens; at most {_MOST_TOKENS:,} are allowed.")
    unpack = _U64.unpack_from
    tokens: list[bytes] = []
    add = tokens.append
    while len(tokens) < count:
        cursor.need(8)
        cursor.need(8 + unpack(cursor.data, cursor.position)[0])
        data, position, end = cursor.data, cursor.position, len(cursor.data)
        try:
            for _ in repeat(None, count - len(tokens)):
                start = position + 8
                stop = start + unpack(data, position)[0]
                if stop > end:
                    break
                add(data[start:stop])
                position = stop
        except struct.error:  # the next string's length lies beyond `data`
            pass
        cursor.position = position
    if b"\0" in b"".join(tokens):
        tokens = [token.partition(b"\0")[0] for token in tokens]
    return {token or b"[EMPTY_%d]" % place for place, token in enumerate(tokens)} if b"" in tokens else set(tokens)


def _tensor(cursor: _Cursor, number: int) -> RawTensor:
    name = cursor.text(_LONGEST_TENSOR_NAME, f"The name of tensor {number + 1}")
    rank = cursor.u32()
    if rank > 4:
        raise ModelFileError(f"The tensor '{name}' has {rank} dimensions; at most 4 are allowed.")
    dimensions = tuple(cursor.u64() for _ in range(rank))
    return RawTensor(name, dimensions, cursor.u32(), cursor.u64())
