"""Which model a file is: its hash, and what is shown of it."""

import hashlib
import os
import struct
from pathlib import Path

from codette_desktop.domain.errors import ModelFileError, ModelNotFound
from codette_desktop.domain.models import ModelInfo
from codette_desktop.models import gguf_split
from codette_desktop.models.gguf import GgufHeader, read_header

_SAMPLE = 2**20


def file_hash(path: str | os.PathLike[str], *more: str | os.PathLike[str]) -> str:
    """SHA-256, in hexadecimal, of the file's size (64 bits, little-endian), its first MiB and its last MiB.

    A file of at most 2 MiB enters whole. Reading all of a large model would take minutes; its header, its first and
    its last weights, and its size tell models apart, but do not protect against a forgery. `more` are the further
    parts of a split model, in order. Raises ModelNotFound, ModelFileError.
    """
    digest = hashlib.sha256()
    for part in (path, *more):
        try:
            with Path(part).open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                digest.update(struct.pack("<Q", size))
                digest.update(file.read(_SAMPLE))
                file.seek(max(_SAMPLE, size - _SAMPLE))
                digest.update(file.read(_SAMPLE))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            raise ModelNotFound(f"There is no file {part}.") from None
        except OSError as error:
            raise ModelFileError(f"{part} cannot be read: {error.strerror or error}.") from None
    return digest.hexdigest()


def info_from_header(path: str | os.PathLike[str], *, starter: bool = False) -> ModelInfo:
    """What is known of the model at `path` from its header: see `read_header` for the errors.

    `name` is the file's name without ending; the library makes it unique. `file_hash` is left empty.
    """
    return describe(read_header(path), starter=starter)


def describe(header: GgufHeader, *, starter: bool = False) -> ModelInfo:
    """The model of a header already read."""
    path = header.paths[0]
    name = gguf_split.stem(path)
    description = header.metadata.get("general.description")
    return ModelInfo(
        name=name,
        display_name=header.name or name,
        path=path,
        architecture=header.architecture,
        quantisation=header.file_type,
        parameters=header.parameters,
        size_bytes=header.size_bytes,
        context_length=header.context_length,
        vocabulary_size=header.vocabulary_size,
        chat_template=header.chat_template,
        description=description if isinstance(description, str) else "",
        starter=starter,
        writes=header.writes,
    )
