"""Models split into several files: `NAME-00001-of-00003.gguf` and its parts beside it."""

import re
from collections.abc import Sequence
from pathlib import Path

from codette_desktop.domain.errors import ModelFileError, UnsupportedModel
from codette_desktop.models.gguf_layout import TensorInfo
from codette_desktop.models.gguf_parser import RawHeader
from codette_desktop.models.gguf_types import INTEGERS, ValueType

_PART_NAME = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)
_COUNT, _NUMBER, _TENSORS = "split.count", "split.no", "split.tensors.count"


def later_part_of(path: Path) -> Path | None:
    """The first part of the split model that `path` is a later part of, by its name; None for all other files."""
    match = _PART_NAME.fullmatch(path.name)
    if match is None or int(match["number"]) == 1:
        return None
    return path.with_name(f"{match['stem']}-00001-of-{match['count']}.gguf")


def is_part(path: Path) -> bool:
    """Whether the file is named as a part of a split model."""
    return _PART_NAME.fullmatch(path.name) is not None


def stem(path: Path) -> str:
    """The file's name without ending and, for a part of a split model, without the part's number."""
    match = _PART_NAME.fullmatch(path.name)
    return match["stem"] if match else path.stem


def other_parts(path: Path, header: RawHeader) -> tuple[Path, ...]:
    """The paths of the second and all further parts; () for a model in one file.

    Raises UnsupportedModel if `path` is not the first part, ModelFileError if one is missing or wrongly named.
    """
    count = _number(header, _COUNT, 1)
    if count <= 1:
        return ()
    number = _number(header, _NUMBER, 0)
    if number:
        raise UnsupportedModel(
            f"{path.name} is part {number + 1} of a model in {count} files.", "Choose the first of them."
        )
    match = _PART_NAME.fullmatch(path.name)
    if match is None or int(match["number"]) != 1 or int(match["count"]) != count:
        raise ModelFileError(
            f"{path.name} is the first of {count} files, but is not named so.",
            f"Name them {stem(path)}-00001-of-{count:05}.gguf and so on.",
        )
    parts = tuple(path.with_name(f"{match['stem']}-{part:05}-of-{count:05}.gguf") for part in range(2, count + 1))
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise ModelFileError(
            f"{path.name} is the first of {count} files, and {len(missing)} of them are missing: {missing[0]}"
            + (" and others." if len(missing) > 1 else "."),
            "Download all parts into one folder.",
        )
    return parts


def check_part(header: RawHeader, number: int, count: int) -> None:
    """Check that a further part is the one its name says; the engine stops the process on a wrongly stored number."""
    if _NUMBER not in header.values or _number(header, _NUMBER, 0) != number:
        raise ModelFileError(f"Part {number + 1} of {count} is not what its name says.", "Download all parts again.")


def check_complete(header: RawHeader, tensors: Sequence[TensorInfo]) -> None:
    """Check that all parts together hold as many tensors as the first announces, each once."""
    value = header.values.get(_TENSORS)
    if _number(header, _COUNT, 1) > 1 and value is not None and value.type in INTEGERS and value.scalar != len(tensors):
        raise ModelFileError(f"Its parts hold {len(tensors):,} tensors together; {value.scalar} are announced.")
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise ModelFileError("Two of its parts contain the same tensor.")


def _number(header: RawHeader, key: str, default: int) -> int:
    value = header.values.get(key)
    if value is None:
        return default
    if value.type is not ValueType.UINT16 or not isinstance(value.scalar, int):
        raise ModelFileError(f"The metadata value '{key}' is not stored as a whole number of 16 bits.")
    return value.scalar
