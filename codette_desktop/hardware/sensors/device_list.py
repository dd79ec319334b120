"""The graphics devices of all readers, numbered."""

from collections.abc import Sequence
from dataclasses import replace

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample, SensorStatus


class DeviceList:
    """Gives each device its number when it is first seen, "gpu:0" on; it keeps it as long as the application runs."""

    def __init__(self) -> None:
        self._names: dict[tuple[int, str], str] = {}
        self._infos: dict[str, DeviceInfo] = {}

    @property
    def infos(self) -> tuple[DeviceInfo, ...]:
        """Every device seen so far, in the order of their numbers."""
        return tuple(self._infos.values())

    def take(
        self, reader: int, infos: Sequence[DeviceInfo], samples: Sequence[DeviceSample]
    ) -> tuple[DeviceSample, ...]:
        """What a reader said, under the numbers. A device it no longer speaks of is missing."""
        for info in infos:
            name = self._names.setdefault((reader, info.device), f"gpu:{len(self._names)}")
            self._infos[name] = replace(info, device=name)
        found = {sample.device: sample for sample in samples}
        return tuple(
            replace(found[key], device=name) if key in found else DeviceSample(name, SensorStatus.MISSING)
            for key, name in self._of(reader)
        )

    def silent(self, reader: int) -> tuple[DeviceSample, ...]:
        """The devices of a reader that did not answer in time: without values."""
        return tuple(DeviceSample(name, SensorStatus.STALE) for _, name in self._of(reader))

    def _of(self, reader: int) -> list[tuple[str, str]]:
        return [(key, name) for (number, key), name in self._names.items() if number == reader]
