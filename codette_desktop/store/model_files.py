"""Model files: hashes once computed, and the marks that tell which model was being loaded in a crash."""

import os
from concurrent.futures import Future
from pathlib import Path
from sqlite3 import Connection

from codette_desktop.store.access import Access, now_text


class ModelFiles:
    """What the store knows of model files."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def known(self, path: Path) -> str | None:
        """The hash remembered for the file, if it still has the size and the time of change it had then."""
        try:
            now = path.stat()
        except OSError:
            return None
        with self._access.read() as connection:
            row = connection.execute(
                "SELECT file_hash FROM model_files WHERE path = ? AND size_bytes = ? AND mtime_ns = ?",
                (_key(path), now.st_size, now.st_mtime_ns),
            ).fetchone()
        return row["file_hash"] if row else None

    def remember(self, path: Path, file_hash: str, state: os.stat_result | None = None) -> "Future[None]":
        """Keep the hash of the file in the `state` it was in before it was read (default: as it is now).

        Raises OSError if the file is gone.
        """
        state = state or path.stat()
        values = (_key(path), state.st_size, state.st_mtime_ns, file_hash)

        def work(connection: Connection) -> None:
            sql = "INSERT OR REPLACE INTO model_files(path, size_bytes, mtime_ns, file_hash) VALUES (?, ?, ?, ?)"
            connection.execute(sql, values)

        # A hash can be computed again: not worth waiting for the disk.
        return self._access.write(work, durable=False)

    def mark_loading(self, file_hash: str) -> "Future[None]":
        """Note that a load begins. Wait for the future before loading: the mark must survive what comes."""

        def work(connection: Connection) -> None:
            sql = "INSERT OR REPLACE INTO model_loads(file_hash, session, started_at) VALUES (?, ?, ?)"
            connection.execute(sql, (file_hash, self._access.sessions.id, now_text()))

        return self._access.write(work)

    def mark_loaded(self, file_hash: str) -> "Future[None]":
        """Note that the load has ended without a crash, well or with an error."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM model_loads WHERE file_hash = ?", (file_hash,))

        return self._access.write(work)

    def crashed(self) -> list[str]:
        """The hashes of models whose load was under way when their process went down, oldest first."""
        with self._access.read() as connection:
            found = connection.execute("SELECT file_hash, session FROM model_loads ORDER BY started_at").fetchall()
        return [row["file_hash"] for row in found if not self._access.sessions.is_alive(row["session"])]

    def trust(self, file_hash: str) -> tuple[bool, int]:
        """Whether the file has loaded and written since its last crash, and how often it took a process down."""
        with self._access.read() as connection:
            row = connection.execute(
                "SELECT admitted, crashes FROM model_trust WHERE file_hash = ?", (file_hash,)
            ).fetchone()
        return (bool(row["admitted"]), row["crashes"]) if row else (False, 0)

    def admit(self, file_hash: str) -> "Future[None]":
        """Note that the file has loaded and written in a process of its own."""

        def work(connection: Connection) -> None:
            connection.execute(
                "INSERT INTO model_trust(file_hash, admitted, crashes, changed_at) VALUES (?, 1, 0, ?) "
                "ON CONFLICT(file_hash) DO UPDATE SET admitted = 1, changed_at = excluded.changed_at",
                (file_hash, now_text()),
            )

        return self._access.write(work)

    def note_crash(self, file_hash: str) -> "Future[None]":
        """Note that the file took a process down: it is not trusted until it has been tried again."""

        def work(connection: Connection) -> None:
            connection.execute(
                "INSERT INTO model_trust(file_hash, admitted, crashes, changed_at) VALUES (?, 0, 1, ?) "
                "ON CONFLICT(file_hash) DO UPDATE "
                "SET admitted = 0, crashes = crashes + 1, changed_at = excluded.changed_at",
                (file_hash, now_text()),
            )

        return self._access.write(work)

    def doubt(self, file_hash: str) -> "Future[None]":
        """Have the file tried again before it runs in this process, without counting a crash."""

        def work(connection: Connection) -> None:
            connection.execute(
                "UPDATE model_trust SET admitted = 0, changed_at = ? WHERE file_hash = ?", (now_text(), file_hash)
            )

        return self._access.write(work)

    def forgive(self, file_hash: str) -> "Future[None]":
        """Forget the crashes of a file: the person wants it to be tried again."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM model_trust WHERE file_hash = ?", (file_hash,))

        return self._access.write(work)


def _key(path: Path) -> str:
    """The path as text; file names that are not Unicode stay distinct."""
    return str(path.absolute()).encode("utf-8", "backslashreplace").decode()
