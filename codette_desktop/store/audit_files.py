"""The two files of the audit trail that lie outside the database: the key, and the head, the last entry known."""

import hashlib
import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from codette_desktop.store.sessions import FileLock

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry as the file remembers it; `seq` 0 and no `mac` before the first."""

    seq: int
    mac: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """What entries are sealed with. `id` tells keys apart and gives nothing away."""

    secret: bytes

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits."""
        return hashlib.sha256(b"codette audit key\0" + self.secret).hexdigest()[:16]


class AuditFiles:
    """In `folder`, made at the first use. Several processes may stand on it; writing is done under a lock file.

    Methods raise OSError where the disk refuses, and ValueError for a file that is not what it should be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key, self._head = folder / "key", folder / "head"

    def lock(self) -> FileLock:
        """To be held while the head is compared and replaced."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileLock(self.folder / "lock")

    def key(self) -> Key | None:
        """The key; None where there is none."""
        try:
            secret = self._key.read_bytes()
        except FileNotFoundError:
            return None
        if len(secret) != KEY_BYTES:
            raise ValueError("the key of the audit trail is damaged")
        return Key(secret)

    def make_key(self) -> Key:
        """A new key; that of another process where it was faster. To be called with the lock held."""
        known = self.key()
        if known is not None:
            return known
        # The head goes first: where there is a key, one that is missing was taken away.
        if self.head() is None:
            self.put_head(Head(0, b""))
        self._write(self._key, secrets.token_bytes(KEY_BYTES))
        made = self.key()
        if made is None:
            raise OSError("the key of the audit trail vanished")
        return made

    def head(self) -> Head | None:
        """What the file remembers; None where there is none."""
        try:
            values: Any = json.loads(self._head.read_bytes())
        except FileNotFoundError:
            return None
        found = cast("dict[str, Any]", values) if isinstance(values, dict) else {}
        seq, mac = found.get("seq"), found.get("mac")
        if not isinstance(seq, int) or not isinstance(mac, str):
            raise ValueError("the head of the audit trail is damaged")
        return Head(seq, bytes.fromhex(mac))

    def put_head(self, head: Head) -> None:
        """Replace the head in one step."""
        self._write(self._head, json.dumps({"seq": head.seq, "mac": head.mac.hex()}).encode())

    def _write(self, path: Path, content: bytes) -> None:
        part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(part, flags, 0o600)  # modes mean nothing to Windows, whose folders keep others out
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        if sys.platform != "win32":
            _sync_folder(self.folder)


def _sync_folder(folder: Path) -> None:
    """A file that was replaced is there after a loss of power only when its folder has been written too."""
    descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
