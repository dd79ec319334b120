"""What loading models has really taken, which corrects what is expected of the next load."""

from concurrent.futures import Future
from sqlite3 import Connection, Row

from codette_desktop.domain.memory import TakenMemory
from codette_desktop.store.access import Access, now_text

NEWEST_SHARE = 0.5  # of the last load in the smoothed figure

_SELECT = (
    "SELECT cpu_bytes, gpu_bytes, computed_cpu_bytes, computed_gpu_bytes, loads FROM model_memory "
    "WHERE file_hash = ? AND settings = ?"
)


class ModelMemory:
    """One figure for each file and each way of loading it (`settings`, a text that says all that matters)."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def known(self, file_hash: str, settings: str) -> TakenMemory | None:
        """What earlier loads took; None where there was none. Raises StoreError."""
        with self._access.read() as connection:
            return _taken(connection.execute(_SELECT, (file_hash, settings)).fetchone())

    def note(self, file_hash: str, settings: str, taken: TakenMemory) -> "Future[None]":
        """Add one load: half of the new figure, half of the old one."""

        def work(connection: Connection) -> None:
            before = _taken(connection.execute(_SELECT, (file_hash, settings)).fetchone())
            connection.execute(
                "INSERT OR REPLACE INTO model_memory(file_hash, settings, cpu_bytes, gpu_bytes, computed_cpu_bytes, "
                "computed_gpu_bytes, loads, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    file_hash,
                    settings,
                    _smoothed(before.cpu_bytes if before else None, taken.cpu_bytes),
                    _smoothed(before.gpu_bytes if before else None, taken.gpu_bytes),
                    taken.computed_cpu_bytes,
                    taken.computed_gpu_bytes,
                    (before.loads if before else 0) + taken.loads,
                    now_text(),
                ),
            )

        return self._access.write(work, durable=False)  # telemetry: the next load tells it again

    def forget(self, file_hash: str) -> "Future[None]":
        """Remove all that is known of the file."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM model_memory WHERE file_hash = ?", (file_hash,))

        return self._access.write(work)


def _taken(row: Row | None) -> TakenMemory | None:
    return TakenMemory(**dict(row)) if row else None


def _smoothed(before: int | None, now: int) -> int:
    return now if before is None else round(before + NEWEST_SHARE * (now - before))
