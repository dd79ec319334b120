"""Requests as a file for spreadsheets, written on a thread of its own until it is done or stopped. No Qt."""

import asyncio
import csv
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from codette_desktop.domain.request_log import RequestFilter, RequestOrder, RequestRecord
from codette_desktop.files import replacing
from codette_desktop.gui.tabs.watch.requests.requests_model import View
from codette_desktop.rating.files import guarded

AT_ONCE = 2_000
COLUMNS = (
    "id", "asked_at", "model", "model_label", "model_hash", "backend", "purpose", "reason", "error_type", "error",
    "prompt_tokens", "completion_tokens", "time_to_first_token_ms", "tokens_per_second", "total_ms", "load_ms",
    "queue_ms", "prefill_ms", "reused_tokens", "cached", "truncated", "energy_j",
)  # fmt: skip


def cells(record: RequestRecord) -> list[str]:
    """One row: numbers as they are, "" for what is not known."""
    values = {
        "asked_at": datetime.fromtimestamp(record.at, UTC).isoformat(timespec="milliseconds"),
        "cached": int(record.cached),
        "truncated": int(record.truncated),
    }
    found = [values[name] if name in values else getattr(record, name) for name in COLUMNS]
    return [_cell(value) for value in found]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.3f}"
    return guarded(str(value)) if isinstance(value, str) else str(value)


class KeyedReader(Protocol):
    """Where requests are read: first which, as they are at one moment, then one after the other.

    Pages of a table to which something is added meanwhile would tell some twice. Raises StoreError.
    """

    def keys(self, wanted: RequestFilter, order: RequestOrder, descending: bool, /) -> Sequence[int]:
        """The keys of all, in an order."""
        ...

    def with_keys(self, keys: Sequence[int], /) -> Sequence[RequestRecord]:
        """Some of them, without those that are gone."""
        ...


class Export:
    """One file. `progress` is called on the writing thread with how many rows are written."""

    def __init__(self, requests: KeyedReader, view: View, path: Path, progress: Callable[[int], object]) -> None:
        self._requests, self._view, self._path, self._progress = requests, view, path, progress
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Write no more; the file is then not made, or left as it was."""
        self._stopped.set()

    async def run(self) -> int | None:
        """Write it all; gives how many rows, None where it was stopped. Raises InvalidRequest, StoreError."""
        work = asyncio.get_event_loop().run_in_executor(None, self._write)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self.stop()
            await asyncio.wait([work])
            raise

    def _write(self) -> int | None:
        try:
            with replacing(self._path) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                return self._rows(writer.writerows)
        except _Stopped:
            return None

    def _rows(self, write: Callable[[list[list[str]]], object]) -> int:
        view, rows = self._view, 0
        keys = self._requests.keys(view.wanted, view.order, view.descending)
        for low in range(0, len(keys), AT_ONCE):
            if self._stopped.is_set():
                raise _Stopped
            page = self._requests.with_keys(keys[low : low + AT_ONCE])
            write([cells(record) for record in page])
            rows += len(page)
            self._progress(rows)
        return rows


class _Stopped(Exception):
    """Leaves the file unmade."""
