"""What a GGUF file says of itself, read and checked without loading it: `read_header(path)`.

A file that passes is one that llama.cpp loads or refuses in words. Nothing in the file is trusted, whatever it claims
the work and the memory stay bounded by the size of its header, and nothing but the family of ModelFileError and
ModelNotFound is raised.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codette_desktop.domain.errors import ModelError, ModelFileError, ModelNotFound
from codette_desktop.models import gguf_split
from codette_desktop.models.gguf_layout import TensorInfo, alignment, lay_out
from codette_desktop.models.gguf_parser import RawHeader, Scalar, parse
from codette_desktop.models.gguf_semantics import EMBEDDERS, check_kind, hyperparameters, text
from codette_desktop.models.gguf_types import FILE_TYPES, INTEGERS
from codette_desktop.models.gguf_vocabulary import check_vocabulary

__all__ = ["GgufHeader", "TensorInfo", "file_type", "read_header", "read_raw"]


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """A checked header. `paths` has one file, or all parts of a split model in order, `size_bytes` their sum.

    `metadata` holds every single value (no lists) by its full name. `heads` and `kv_heads` are given by layer, empty
    for models without attention. `file_type` is the quantisation as people know it: "Q4_K_M", "Q8_0", "F16".
    """

    paths: tuple[Path, ...]
    version: int
    architecture: str
    name: str
    metadata: Mapping[str, Scalar]
    chat_template: str | None
    context_length: int
    embedding_length: int
    block_count: int
    heads: tuple[int, ...]
    kv_heads: tuple[int, ...]
    tokenizer: str
    vocabulary_size: int
    tensors: tuple[TensorInfo, ...]
    file_type: str
    alignment: int
    size_bytes: int

    @property
    def kv_values_per_token(self) -> int:
        """Numbers kept for each token of context, keys and values of all layers together; 0 without attention."""
        return sum(self.kv_heads) * (self.head_size("key") + self.head_size("value"))

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def writes(self) -> bool:
        """Whether it writes text; an embedding model only reads it."""
        return self.architecture not in EMBEDDERS

    def head_size(self, kind: str) -> int:
        """The width of a "key" or "value" of one head, the largest where layers with a window have another."""
        usual = self.embedding_length // min((count for count in self.heads if count), default=1)
        keys = (f"{self.architecture}.attention.{kind}_length{suffix}" for suffix in ("", "_swa"))
        sizes = [value for key in keys if isinstance(value := self.metadata.get(key), int)]
        return max(sizes, default=usual)


def read_header(path: str | os.PathLike[str]) -> GgufHeader:
    """Read and check the header of the GGUF file at `path`, and of the other parts if it is the first of a split model.

    Raises ModelNotFound, TruncatedModel (with the number of bytes that are missing), UnsupportedModel (readable, but
    the engine cannot run it), ModelFileError (anything else that is wrong with it).
    """
    path = Path(path)
    first = read_raw(path)
    others = gguf_split.other_parts(path, first)
    tensors = lay_out(first)
    size = first.file_bytes
    for number, other in enumerate(others, start=1):
        part = read_raw(other)
        gguf_split.check_part(part, number, len(others) + 1)
        tensors += lay_out(part)
        size += part.file_bytes
    gguf_split.check_complete(first, tensors)
    return _header((path, *others), first, tensors, size)


def _header(paths: tuple[Path, ...], raw: RawHeader, tensors: list[TensorInfo], size: int) -> GgufHeader:
    architecture = check_kind(raw)
    found = hyperparameters(raw, architecture, tensors)
    tokenizer, tokens = check_vocabulary(raw, architecture, tensors)
    return GgufHeader(
        paths=paths,
        version=raw.version,
        architecture=architecture,
        name=(text(raw, "general.name") or "").strip(),
        metadata={key: value.scalar for key, value in raw.values.items() if value.scalar is not None},
        chat_template=text(raw, "tokenizer.chat_template"),
        context_length=found.context_length,
        embedding_length=found.embedding_length,
        block_count=found.block_count,
        heads=found.heads,
        kv_heads=found.kv_heads,
        tokenizer=tokenizer,
        vocabulary_size=tokens,
        tensors=tuple(tensors),
        file_type=file_type(raw, tensors),
        alignment=alignment(raw),
        size_bytes=size,
    )


def file_type(raw: RawHeader, tensors: list[TensorInfo]) -> str:
    """The label the file gives itself, else the type that most of its weights are stored in."""
    value = raw.values.get("general.file_type")
    if value is not None and value.type in INTEGERS and isinstance(value.scalar, int) and value.scalar in FILE_TYPES:
        return FILE_TYPES[value.scalar]
    weights: Counter[str] = Counter()
    for tensor in tensors:
        weights[tensor.type] += tensor.elements
    return weights.most_common(1)[0][0]


def read_raw(path: Path) -> RawHeader:
    """Parse the file; every way in which a path can fail to be a readable file is told in words."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            what = "is a folder" if path.is_dir() else "is not a file"
            raise ModelFileError(f"{path} {what}, not a model.", "Give the path of a .gguf file.")
        with path.open("rb", buffering=0) as file:
            return parse(file, os.fstat(file.fileno()).st_size)
    except ModelError as error:
        raise type(error)(_named(path, error.message), error.hint) from None
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a zero byte in the path
        raise ModelNotFound(f"There is no file {path}.") from None
    except PermissionError:
        raise ModelFileError(f"{path} may not be read.", "Give yourself the right to read it.") from None
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            raise ModelNotFound(f"There is no file {path}.") from None
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}.", retryable=True) from None


def _named(path: Path, message: str) -> str:
    return message if str(path) in message else f"{path.name} cannot be used: {message[0].lower()}{message[1:]}"
