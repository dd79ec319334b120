"""Files that are written whole or not at all."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from codette_desktop.domain.errors import InvalidRequest


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """A file beside `path` that takes its place at the end; it goes where that fails. Raises InvalidRequest."""
    path = path.absolute()  # "." has no name
    part = path.parent / f".{path.name}.part"
    try:
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror or error}."
        raise InvalidRequest(what, "Choose another folder.") from None
