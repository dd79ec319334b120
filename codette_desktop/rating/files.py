"""Files that are written whole or not at all, and cells that no spreadsheet takes for formulas."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from codette_desktop.domain.errors import InvalidRequest

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


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


def guarded(text: str) -> str:
    """With an apostrophe before what a spreadsheet would take for a formula; `unguarded` gives exactly `text` back."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The inverse of `guarded`."""
    return text[1:] if _GUARDED.match(text) else text
