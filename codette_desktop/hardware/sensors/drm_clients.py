"""Which programs use a graphics device and how much, from Linux's fdinfo (Documentation/gpu/drm-usage-stats.rst).

Only programs of the same user can be looked into. Untried on a real card.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from codette_desktop.domain.telemetry import DeviceProcess
from codette_desktop.hardware.sensors import sysfs
from codette_desktop.hardware.sensors.family import Family

_LOOK_ALL_S = 30.0  # for other programs that began to use a card
_LOOK_OURS_S = 5.0
_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
# Resident memory is what counts against the card; older drivers tell only of what was allocated.
_MEMORY_KEYS = ("drm-total-", "drm-memory-", "drm-resident-")


@dataclass(slots=True)
class Client:
    """One use of one device by one program. `memory` in bytes by region, `busy_ns` and `cycles` by engine.

    `cycles` are pairs: those in which the engine worked for this client, and all that passed.
    """

    pid: int
    slot: str = ""
    number: str = ""
    memory: dict[str, int] = field(default_factory=dict[str, int])
    busy_ns: dict[str, int] = field(default_factory=dict[str, int])
    capacity: dict[str, int] = field(default_factory=dict[str, int])
    cycles: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def memory_on(self, regions: tuple[str, ...]) -> int | None:
        """Bytes in the regions whose names begin so; None where the driver tells of none of them."""
        amounts = [amount for region, amount in self.memory.items() if region.startswith(regions)]
        return sum(amounts) if amounts else None


def parse(pid: int, content: str) -> Client | None:
    """A client from what its fdinfo file says; None where that is no graphics device."""
    lines = (line.partition(":") for line in content.splitlines() if line.startswith("drm-"))
    values = {key.strip(): value.strip() for key, _, value in lines}
    if "drm-driver" not in values:
        return None
    client = Client(pid, values.get("drm-pdev", ""), values.get("drm-client-id", ""))
    for prefix in _MEMORY_KEYS:
        amounts = _numbers(values, prefix).items()
        client.memory |= {region: amount for region, amount in amounts if not region.startswith("cycles-")}
    client.capacity = _numbers(values, "drm-engine-capacity-")
    busy = _numbers(values, "drm-engine-")
    client.busy_ns = {engine: busy_ns for engine, busy_ns in busy.items() if not engine.startswith("capacity-")}
    all_cycles = _numbers(values, "drm-total-cycles-")
    client.cycles = {
        engine: (cycles, all_cycles[engine])
        for engine, cycles in _numbers(values, "drm-cycles-").items()
        if engine in all_cycles
    }
    return client


def _numbers(values: dict[str, str], prefix: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, value in values.items():
        amount, _, unit = value.partition(" ")
        if key.startswith(prefix) and amount.isdecimal() and (unit == "ns" or unit in _UNITS):
            found[key.removeprefix(prefix)] = int(amount) * _UNITS.get(unit, 1)
    return found


class DrmClients:
    """Finds the open graphics devices of all programs at times, and reads them at each call."""

    def __init__(self, family: Family, root: Path = Path("/"), clock: Callable[[], float] = time.monotonic) -> None:
        self._family = family
        self._proc = root / "proc"
        self._clock = clock
        self._files: dict[int, list[Path]] = {}
        self._looked_at: dict[str, float] = {}

    def read(self) -> list[Client]:
        """Every client that can be seen now, each once although a program may hold its file several times."""
        if self._due("all", _LOOK_ALL_S):
            self._files = self._find(int(name) for name in self._names() if name.isdecimal())
        elif self._due("ours", _LOOK_OURS_S):
            self._files |= self._find(self._family.pids())
        found: dict[tuple[str, str], Client] = {}
        for pid, files in self._files.items():
            for file in files:
                client = parse(pid, sysfs.text(file) or "")
                if client is not None:
                    found.setdefault((client.slot, client.number or str(file)), client)
        return list(found.values())

    def processes(self, clients: Iterable[Client], regions: tuple[str, ...]) -> tuple[DeviceProcess, ...]:
        """The programs behind the clients, with their memory in the regions."""
        ours = self._family.pids()
        memory: dict[int, int | None] = {}
        for client in clients:
            before, more = memory.get(client.pid), client.memory_on(regions)
            memory[client.pid] = more if before is None else before + (more or 0)
        return tuple(
            DeviceProcess(pid, sysfs.text(self._proc / str(pid) / "comm") or "", amount, pid in ours)
            for pid, amount in sorted(memory.items())
        )

    def _due(self, what: str, every_s: float) -> bool:
        now, last = self._clock(), self._looked_at.get(what)
        if last is not None and now - last < every_s:
            return False
        self._looked_at[what] = self._looked_at["ours"] = now
        return True

    def _names(self) -> list[str]:
        try:
            return os.listdir(self._proc)  # noqa: PTH208 - so many Path objects would cost more than the reading
        except OSError:
            return []

    def _find(self, pids: Iterable[int]) -> dict[int, list[Path]]:
        return {pid: files for pid in pids if (files := self._open_devices(self._proc / str(pid)))}

    def _open_devices(self, process: Path) -> list[Path]:
        folder = f"{process}/fd"
        try:
            names = os.listdir(folder)  # noqa: PTH208
        except OSError:  # another user's, or gone
            return []
        return [process / "fdinfo" / name for name in names if _link(f"{folder}/{name}").startswith("/dev/dri/")]


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return ""


class EngineUse:
    """How busy a device's engines were, from what they did for the clients that can be seen."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[float, float]] = {}

    def share(self, clients: Iterable[Client], at: float) -> float | None:
        """The share of time since the last call of the busiest engine; at least that, as other users' programs are not
        seen. None where no client can be measured, because there is none, or it is new, or the driver does not tell."""
        now: dict[tuple[str, str], tuple[float, float]] = {}
        shares: dict[str, float] = {}
        for client in clients:
            for engine, (busy, passed) in _engines(client, at).items():
                key = (client.number, engine)
                now[key] = busy, passed
                if key in self._last and passed > self._last[key][1]:
                    # A counter may fall behind for a moment: nothing was done then, as far as is known.
                    worked = max(0.0, busy - self._last[key][0]) / (passed - self._last[key][1])
                    shares[engine] = shares.get(engine, 0.0) + worked
        self._last = now
        return min(1.0, max(shares.values())) if shares else None


def _engines(client: Client, at: float) -> dict[str, tuple[float, float]]:
    """Per engine what it worked and what passed, in seconds or in cycles."""
    timed = {
        engine: (busy_ns * 1e-9 / max(1, client.capacity.get(engine, 1)), at)
        for engine, busy_ns in client.busy_ns.items()
    }
    return timed | {engine: (float(busy), float(passed)) for engine, (busy, passed) in client.cycles.items()}
