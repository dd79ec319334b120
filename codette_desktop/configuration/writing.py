"""Reading and replacing the file itself, so that nobody ever sees half of it."""

import codecs
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from codette_desktop.configuration.document import MOST_BYTES
from codette_desktop.configuration.reading import decode
from codette_desktop.domain.errors import CodetteError, ConfigurationError

Fingerprint = tuple[int, int, int, int] | None  # device, inode, size, time of change; None: no file


def fingerprint(path: Path) -> Fingerprint:
    """What changes when the file does. Never raises."""
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns


def read_text(path: Path) -> str | None:
    """What the file says; None where there is none. Raises ConfigurationError."""
    try:
        if not path.exists():
            return None
        if not path.is_file():
            raise ConfigurationError(f"{path} is not a file.", "Remove it, or name another with CODETTE_CONFIG.")
        if path.stat().st_size > MOST_BYTES:
            hint = f"It holds at most {MOST_BYTES // 1024} KiB. Put long prompts into files of their own."
            raise ConfigurationError("The file is too large.", hint)
        return decode(path.read_bytes())
    except FileNotFoundError:  # gone this very moment
        return None
    except ConfigurationError:
        raise
    except CodetteError as error:
        raise ConfigurationError(error.message, error.hint) from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.", "Check its permissions.") from error


def write_text(path: Path, text: str, seen: Fingerprint) -> None:
    """Replace the file by one that says `text`, unless it is no longer what it was when `seen`.

    A link stays a link, permissions and a byte order mark stay as they are; a new file is for its owner alone. Either
    the old or the new text is on the disk, whatever happens. Raises ConfigurationError.
    """
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        head = b""
        if target.is_file():
            with target.open("rb") as old:
                head = codecs.BOM_UTF8 if old.read(3) == codecs.BOM_UTF8 else b""
        _replace(path, target, head + text.encode("utf-8"), seen)
    except (OSError, UnicodeEncodeError) as error:
        hint = "Check its permissions, and that the disk is not full."
        raise ConfigurationError(f"{path} cannot be written: {error}.", hint) from error


def _replace(path: Path, target: Path, data: bytes, seen: Fingerprint) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    written = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            written.chmod(stat.S_IMODE(target.stat().st_mode))
        if fingerprint(path) != seen:
            raise changed_meanwhile(path)
        written.replace(target)
    except BaseException:
        with suppress(OSError):
            written.unlink()
        raise
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def changed_meanwhile(path: Path) -> ConfigurationError:
    """Somebody else has written the file."""
    hint = "It has been read again: look at it, then make your change once more."
    return ConfigurationError(f"{path.name} was changed by another program meanwhile.", hint, retryable=True)
