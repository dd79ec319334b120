"""What is said of this computer is plausible, and nothing raises where a sensor is missing."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from codette_desktop.hardware.machine import inspect
from codette_desktop.hardware.nvidia import Gpu, nvidia_gpus


def test_a_look_at_this_computer(tmp_path: Path) -> None:
    machine = inspect(tmp_path / "does" / "not" / "exist yet")
    assert machine.processor.name
    assert 1 <= machine.processor.physical_cores <= machine.processor.logical_cores
    assert 0 < machine.memory_available_bytes <= machine.memory_bytes
    assert machine.disk_free_bytes is not None
    assert machine.disk_free_bytes > 0


class StandInNvml(ModuleType):
    """Stands in for the NVIDIA driver's library, which test machines lack: one card; `broken` queries raise."""

    class NVMLError(Exception):
        """The library's own error."""

    def __init__(self, *, broken: tuple[str, ...] = ()) -> None:
        super().__init__("pynvml")
        self.broken = broken

    def _answer(self, name: str, value: object) -> object:
        if name in self.broken:
            raise self.NVMLError(name)
        return value

    def nvmlInit(self) -> None:
        self._answer("init", None)

    def nvmlShutdown(self) -> None: ...

    def nvmlDeviceGetCount(self) -> object:
        return self._answer("count", 1)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> object:
        return self._answer("name", b"Test Card")

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> object:
        memory = ModuleType("memory")
        memory.total, memory.free = 8_000_000_000, 3_000_000_000  # type: ignore[attr-defined]
        return self._answer("memory", memory)

    def nvmlSystemGetDriverVersion(self) -> object:
        return self._answer("driver", "555.42")


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        ((), (Gpu("Test Card", 8_000_000_000, 3_000_000_000, "555.42"),)),
        (("memory", "driver"), (Gpu("Test Card", None, None, ""),)),
        (("name",), (Gpu("NVIDIA GPU", 8_000_000_000, 3_000_000_000, "555.42"),)),
        (("count",), ()),
        (("init",), ()),
    ],
)
def test_a_card_that_does_not_answer_is_a_card_of_which_less_is_known(
    monkeypatch: pytest.MonkeyPatch, broken: tuple[str, ...], found: tuple[Gpu, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", StandInNvml(broken=broken))
    assert nvidia_gpus() == found
