"""NVIDIA cards, through NVML, which stays open between samples. Tried without a card only: with recorded answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample, SensorStatus
from codette_desktop.hardware.nvml import CardGone, DriverGone, Nvml
from codette_desktop.hardware.sensors.family import Family
from codette_desktop.hardware.sensors.nvidia_values import Pcie, card_sample
from codette_desktop.hardware.sensors.process_names import ProcessNames

_RETRY_S = 30.0


@dataclass
class _Card:
    """A card seen once. `handle` is None while it is lost."""

    info: DeviceInfo
    handle: Any
    pcie: Pcie = field(default_factory=Pcie)


class NvidiaReader:
    """A `GpuReader`. Without a driver it has no devices, and looks again every half minute, as for a lost card.

    While NVML is open, a laptop's card may stay awake that would otherwise sleep.
    """

    vendor = "nvidia"

    def __init__(self, family: Family, *, clock: Callable[[], float] = time.monotonic, same_pids: bool = True) -> None:
        """`same_pids`: the driver counts processes as this system does, so they can be told by name."""
        self._family = family
        self._clock = clock
        self._names = ProcessNames() if same_pids else None
        self._nvml: Nvml | None = None
        self._cards: dict[str, _Card] = {}
        self._look_at: float | None = None
        self._closed = False

    def info(self) -> tuple[DeviceInfo, ...]:
        """Every card seen so far, in the driver's order; a lost one keeps its place."""
        self._look()
        return tuple(card.info for card in self._cards.values())

    def sample(self) -> tuple[DeviceSample, ...]:
        """What each card says now."""
        self._look()
        return tuple(self._sample(card) for card in self._cards.values())

    def close(self) -> None:
        """Close NVML for good."""
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        if self._nvml is not None:
            self._nvml.close()
        self._nvml = None
        for card in self._cards.values():
            card.handle = None

    def _look(self) -> None:
        whole = self._nvml is not None and all(card.handle is not None for card in self._cards.values())
        now = self._clock()
        if self._closed or whole or (self._look_at is not None and now < self._look_at):
            return
        self._look_at = now + _RETRY_S
        self._let_go()  # NVML finds a card that returned only after it was opened anew
        self._nvml = Nvml.open()
        if self._nvml is None:
            return
        try:
            for index, handle in enumerate(self._nvml.handles()):
                self._meet(self._nvml, index, handle)
        except DriverGone:
            self._let_go()

    def _meet(self, nvml: Nvml, index: int, handle: Any) -> None:
        try:
            memory = nvml.memory(handle)
            uuid = nvml.text("nvmlDeviceGetUUID", handle)
            info = DeviceInfo(
                device=uuid or f"nvidia {index}",
                name=nvml.text("nvmlDeviceGetName", handle) or "NVIDIA GPU",
                vendor=self.vendor,
                uuid=uuid,
                driver=nvml.text("nvmlSystemGetDriverVersion"),
                memory_total_bytes=int(memory.total) if memory else None,
            )
        except CardGone:
            return
        self._cards[info.device] = _Card(info, handle)

    def _sample(self, card: _Card) -> DeviceSample:
        nvml, key = self._nvml, card.info.device
        if nvml is None or card.handle is None:
            return DeviceSample(key, SensorStatus.MISSING)
        try:
            return card_sample(nvml, card.handle, key, card.pcie, self._family.pids(), self._names)
        except CardGone:
            card.handle = None
        except DriverGone:
            self._let_go()
        return DeviceSample(key, SensorStatus.MISSING)
