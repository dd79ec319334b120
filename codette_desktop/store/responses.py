"""Responses: answers kept to be given again, by a key of everything that can change them."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from sqlite3 import Connection

from codette_desktop.store.access import Access, time_from_text, time_to_text
from codette_desktop.store.text import clean

_COLUMNS = "key, model, created_at, payload"


@dataclass(frozen=True, slots=True)
class KeptResponse:
    """One answer as it is kept; what `payload` holds is the cache's own business."""

    key: bytes
    model: str
    created_at: datetime
    payload: bytes


@dataclass(frozen=True, slots=True)
class ResponseLimits:
    """How much is kept. `ttl_s` None keeps an answer until it is the least recently used one."""

    entries: int
    size_bytes: int
    ttl_s: float | None = None


@dataclass(frozen=True, slots=True)
class ResponseCounts:
    """How often an answer was there (`hits`) or not (`misses`), or being written just then for another (`shared`)."""

    hits: int = 0
    misses: int = 0
    shared: int = 0
    stores: int = 0

    def plus(self, other: "ResponseCounts") -> "ResponseCounts":
        """The sum."""
        return ResponseCounts(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


@dataclass(frozen=True, slots=True)
class ResponseTotals:
    """What is kept now, and the counts since the first start."""

    entries: int
    size_bytes: int
    evictions: int
    counts: ResponseCounts


@dataclass(frozen=True, slots=True)
class ResponseUse:
    """What has happened since it was last written down: counts, and by key the last use and the number of uses."""

    counts: ResponseCounts = field(default_factory=ResponseCounts)
    touched: Mapping[bytes, tuple[datetime, int]] = field(default_factory=dict[bytes, tuple[datetime, int]])


class Responses:
    """Writes are telemetry: acknowledged before they are safe from a power cut. Reads raise StoreError."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def get(self, key: bytes) -> KeptResponse | None:
        """The response under `key`, whatever its age."""
        with self._access.read() as connection:
            row = connection.execute(f"SELECT {_COLUMNS} FROM responses WHERE key = ?", (key,)).fetchone()
        return (
            KeptResponse(row["key"], row["model"], time_from_text(row["created_at"]), row["payload"]) if row else None
        )

    def put(self, kept: KeptResponse, limits: ResponseLimits, use: ResponseUse, now: datetime) -> "Future[None]":
        """Keep `kept` in place of what its key had; then the oldest and the least recently used leave by `limits`."""
        moment = time_to_text(kept.created_at)
        values = (kept.key, clean(kept.model), moment, moment, len(kept.key) + len(kept.payload), kept.payload)

        def work(connection: Connection) -> None:
            _write_use(connection, use)
            connection.execute(
                """INSERT INTO responses(key, model, created_at, used_at, hits, size_bytes, payload)
                   VALUES (?, ?, ?, ?, 0, ?, ?)
                   ON CONFLICT(key) DO UPDATE SET model = excluded.model, created_at = excluded.created_at,
                   used_at = excluded.used_at, size_bytes = excluded.size_bytes, payload = excluded.payload""",
                values,
            )
            _evict(connection, limits, now)

        return self._access.write(work, durable=False)

    def write_use(self, use: ResponseUse) -> "Future[None]":
        """Write down what has happened."""
        return self._access.write(lambda connection: _write_use(connection, use), durable=False)

    def trim(self, limits: ResponseLimits, now: datetime) -> "Future[None]":
        """Remove what `limits` no longer allow."""
        return self._access.write(lambda connection: _evict(connection, limits, now), durable=False)

    def remove(self, key: bytes) -> "Future[None]":
        """Remove one response."""

        def work(connection: Connection) -> None:
            connection.execute("DELETE FROM responses WHERE key = ?", (key,))

        return self._access.write(work, durable=False)

    def clear(self) -> "Future[int]":
        """Remove all responses for good; gives how many. The counts stay."""

        def work(connection: Connection) -> int:
            return connection.execute("DELETE FROM responses").rowcount

        return self._access.write(work)

    def totals(self) -> ResponseTotals:
        """What is kept, and what was written down."""
        with self._access.read() as connection:
            row = connection.execute("SELECT * FROM response_totals").fetchone()
        counts = ResponseCounts(**{item.name: row[item.name] for item in fields(ResponseCounts)})
        return ResponseTotals(row["entries"], row["bytes"], row["evictions"], counts)


def _write_use(connection: Connection, use: ResponseUse) -> None:
    changes = {name: count for name, count in asdict(use.counts).items() if count}
    if changes:
        assignments = ", ".join(f"{name} = {name} + ?" for name in changes)
        connection.execute(f"UPDATE response_totals SET {assignments}", tuple(changes.values()))
    connection.executemany(
        "UPDATE responses SET used_at = max(used_at, ?), hits = hits + ? WHERE key = ?",
        [(time_to_text(moment), hits, key) for key, (moment, hits) in use.touched.items()],
    )


def _evict(connection: Connection, limits: ResponseLimits, now: datetime) -> None:
    removed = 0
    if limits.ttl_s is not None:
        oldest = time_to_text(datetime.fromtimestamp(max(0.0, now.timestamp() - limits.ttl_s), now.tzinfo))
        removed += connection.execute("DELETE FROM responses WHERE created_at < ?", (oldest,)).rowcount
    kept = connection.execute("SELECT entries, bytes FROM response_totals").fetchone()
    entries, size = kept["entries"] - limits.entries, kept["bytes"] - limits.size_bytes
    if entries > 0 or size > 0:
        leaving: list[tuple[int]] = []
        for row in connection.execute("SELECT id, size_bytes FROM responses ORDER BY used_at, id"):
            if entries <= 0 and size <= 0:
                break
            leaving.append((row["id"],))
            entries, size = entries - 1, size - row["size_bytes"]
        connection.executemany("DELETE FROM responses WHERE id = ?", leaving)
        removed += len(leaving)
    if removed:
        connection.execute("UPDATE response_totals SET evictions = evictions + ?", (removed,))
