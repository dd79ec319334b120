"""The graphics of Apple's chips, from the program macmon where it is installed. By its documentation; untried on a Mac.

macmon reads what only Apple's own tools may, without special rights, and writes one JSON object a second. When this
application dies, however that comes, its pipe breaks and macmon ends at its next line.
"""

import json
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from typing import IO, Any, cast

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample, SensorStatus

log = logging.getLogger(__name__)

_STALE_S = 3.0
_RESTART_S = 60.0
_END_S = 0.3
_DEVICE = "apple"


def macmon_command() -> tuple[str, ...] | None:
    """How to start macmon, or None where it is not installed. A window's PATH on macOS lacks Homebrew's folders."""
    found = shutil.which("macmon") or shutil.which("macmon", path="/opt/homebrew/bin:/usr/local/bin:/opt/local/bin")
    return (found, "pipe", "-i", "1000") if found else None


class AppleReader:
    """A `GpuReader` with one device, which shares the computer's memory. Without macmon nothing is known of it."""

    vendor = "apple"

    def __init__(
        self,
        *,
        name: Callable[[], str] = lambda: "",
        command: Callable[[], tuple[str, ...] | None] = macmon_command,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` says which chip this is."""
        self._name = name
        self._command = command
        self._clock = clock
        self._info: DeviceInfo | None = None
        self._pipe: _Pipe | None = None
        self._start_at: float | None = None
        self._closed = False

    def info(self) -> tuple[DeviceInfo, ...]:
        """The chip's graphics."""
        if self._info is None:
            self._info = DeviceInfo(_DEVICE, f"{self._name() or 'Apple'} GPU", self.vendor)
        return (self._info,)

    def sample(self) -> tuple[DeviceSample, ...]:
        """What macmon wrote last, if that is fresh."""
        self._keep_running()
        if self._pipe is None:
            return (DeviceSample(_DEVICE, SensorStatus.MISSING),)
        line, heard_at = self._pipe.last
        if line is None or self._clock() - heard_at > _STALE_S:
            return (DeviceSample(_DEVICE, SensorStatus.STALE),)
        return (parse(line),)

    def close(self) -> None:
        """End macmon."""
        self._closed = True
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def _keep_running(self) -> None:
        """Start it, and again when it has ended by itself, but not all the time."""
        if self._pipe is not None and not self._pipe.alive:
            self._pipe.close()
            self._pipe = None
        now = self._clock()
        if self._pipe is not None or self._closed or (self._start_at is not None and now < self._start_at):
            return
        self._start_at = now + _RESTART_S
        if (command := self._command()) is None:
            return
        try:
            self._pipe = _Pipe(command, self._clock)
        except OSError as error:
            log.debug("macmon did not start: %s", error)


class _Pipe:
    """A running macmon, and the thread that hears it."""

    def __init__(self, command: tuple[str, ...], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._output = cast("IO[bytes]", self._process.stdout)
        self.last: tuple[bytes | None, float] = (None, clock())  # the line, and when it came
        self._thread = threading.Thread(target=self._hear, name="codette-sensor-macmon", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._process.kill()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            log.debug("macmon has not ended yet")
        self._thread.join(_END_S)

    def _hear(self) -> None:
        with self._output:
            for line in self._output:
                self.last = (line, self._clock())


def parse(line: bytes | str) -> DeviceSample:
    """A line of macmon, of the versions that wrote "gpu_usage": [MHz, share] and of those with a key for each."""
    try:
        read: Any = json.loads(line)
    except ValueError:
        return DeviceSample(_DEVICE, SensorStatus.STALE)
    found = _object(read)
    if not found:
        return DeviceSample(_DEVICE, SensorStatus.STALE)
    memory, temperatures = _object(found.get("memory")), _object(found.get("temp"))
    old_clock, old_share = (*_list(found.get("gpu_usage")), None, None)[:2]
    share = _number(found.get("gpu_active_ratio", old_share))
    return DeviceSample(
        device=_DEVICE,
        utilisation=share if share is not None and 0 <= share <= 1 else None,
        memory_used_bytes=_bytes(memory.get("ram_usage")),
        memory_total_bytes=_bytes(memory.get("ram_total")),
        # A sensor that is asleep is told as 0 degrees.
        temperature_c=_number(temperatures.get("gpu_temp_avg")) or None,
        power_w=_number(found.get("gpu_power")),
        clock_mhz=_number(found.get("gpu_freq_mhz", old_clock)),
        fan=_fan(found.get("fans")),
    )


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def _bytes(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _fan(fans: Any) -> float | None:
    """The share of the fastest of the Mac's fans."""
    shares: list[float] = []
    for fan in map(_object, _list(fans)):
        speed, fastest = _number(fan.get("rpm")), _number(fan.get("max_rpm"))
        if speed is not None and fastest:
            shares.append(min(1.0, speed / fastest))
    return max(shares, default=None)
