"""One sequence in one file: what it is, its tokens, what the model has computed of them, and a checksum of it all.

Little-endian: 8 bytes of magic, the version and the length of the header (32 bits each), the header (JSON: `key`,
`tokens`, `tokens_hash`, `state_bytes`), the tokens (32 bits each), the state, BLAKE2b-256 of everything before. The
state goes to C code that believes it, so a file that is not exactly what was written is never read to its end.
"""

import contextlib
import hashlib
import json
import os
import struct
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from codette_desktop.inference.llama.kv_folder import PART_SUFFIX, SUFFIX
from codette_desktop.inference.llama.vocabulary import Tokens

State = bytes | memoryview
_MAGIC, _VERSION = b"CODETTKV", 1
_HEAD = struct.Struct("<8sII")
_LONGEST_HEADER = 4096
_CHECKSUM_BYTES = 32
_BLOCK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class KvFile:
    """What a file says it holds: a sequence of the model (and its settings) that `key` stands for."""

    path: Path
    key: str
    tokens: Tokens
    size_bytes: int


def write(folder: Path, key: str, tokens: Tokens, state: State) -> KvFile:
    """Write a sequence under a name of its own content: whole, or not at all. For its owner alone. Raises OSError."""
    written = np.ascontiguousarray(tokens, "<i4").tobytes()
    header = json.dumps(
        {"key": key, "tokens": len(tokens), "tokens_hash": _hash(written), "state_bytes": len(state)}
    ).encode()
    name = hashlib.blake2b(key.encode() + written, digest_size=16).hexdigest()
    path, part = folder / f"{name}{SUFFIX}", folder / f"{uuid.uuid4().hex}{PART_SUFFIX}"
    pieces = (_HEAD.pack(_MAGIC, _VERSION, len(header)), header, written, state)
    digest = hashlib.blake2b(digest_size=_CHECKSUM_BYTES)
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for piece in pieces:
                digest.update(piece)
                _write_all(file, piece)
            _write_all(file, digest.digest())
        part.replace(path)  # not synchronised before: the checksum tells what a power cut has left
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return KvFile(path, key, tokens, sum(map(len, pieces)) + _CHECKSUM_BYTES)


def read_head(path: Path) -> KvFile:
    """What the file holds, without reading the state. Raises ValueError where it is damaged, OSError."""
    with path.open("rb") as file:
        return _read_head(path, file)[0]


def read_state(known: KvFile) -> memoryview:
    """The state. Raises ValueError where the file is damaged, or another than it was, and OSError."""
    with known.path.open("rb") as file:
        found, begins_at = _read_head(known.path, file)
        if found.key != known.key or not np.array_equal(found.tokens, known.tokens):
            raise ValueError("it is another sequence")
    data = memoryview(bytearray(found.size_bytes))  # read, hashed and used in place: states have up to a gigabyte
    digest = hashlib.blake2b(digest_size=_CHECKSUM_BYTES)
    ends_at, at = len(data) - _CHECKSUM_BYTES, 0
    with known.path.open("rb", buffering=0) as file:
        while (count := file.readinto(data[at : at + _BLOCK_BYTES])) > 0:
            digest.update(data[at : min(at + count, ends_at)])
            at += count
    if at != len(data) or digest.digest() != bytes(data[ends_at:]):
        raise ValueError("its checksum is wrong")
    return data[begins_at:ends_at]


def _read_head(path: Path, file: IO[bytes]) -> tuple[KvFile, int]:
    """What it holds, and where the state begins."""
    size = os.fstat(file.fileno()).st_size
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise ValueError("it is too short")
    magic, version, length = _HEAD.unpack(head)
    if magic != _MAGIC or version != _VERSION or length > _LONGEST_HEADER:
        raise ValueError("it is of another kind or version")
    header: dict[str, Any] = json.loads(file.read(length))
    try:
        key, count, state_bytes = str(header["key"]), int(header["tokens"]), int(header["state_bytes"])
        if min(count, state_bytes) < 1 or _HEAD.size + length + 4 * count + state_bytes + _CHECKSUM_BYTES != size:
            raise ValueError("its length is wrong")
        written = file.read(4 * count)
        if _hash(written) != header["tokens_hash"]:
            raise ValueError("its tokens are damaged")
    except (TypeError, KeyError) as error:
        raise ValueError("its header is damaged") from error
    return KvFile(path, key, np.frombuffer(written, "<i4").astype(np.int32), size), file.tell()


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _write_all(file: Any, data: State) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
