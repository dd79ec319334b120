"""What is said of this computer is plausible, and nothing raises where a sensor is missing."""

import sys
from pathlib import Path

import pytest

from codette_desktop.hardware.machine import inspect
from codette_desktop.hardware.nvidia import Gpu, nvidia_gpus
from tests.support.stand_in_nvml import GIB, StandInNvml, nvml_error, rtx_4090


def test_a_look_at_this_computer(tmp_path: Path) -> None:
    machine = inspect(tmp_path / "does" / "not" / "exist yet")
    assert machine.processor.name
    assert 1 <= machine.processor.physical_cores <= machine.processor.logical_cores
    assert 0 < machine.memory_available_bytes <= machine.memory_bytes
    assert machine.disk_free_bytes is not None
    assert machine.disk_free_bytes > 0


NAME, TOTAL, FREE = "NVIDIA GeForce RTX 4090", 24 * GIB, 24 * GIB - 9 * GIB - GIB // 2
UNABLE = nvml_error("NOT_SUPPORTED")
WHOLE = Gpu(NAME, TOTAL, FREE, "580.95")


@pytest.mark.parametrize(
    ("library", "found"),
    [
        (StandInNvml(rtx_4090()), (WHOLE,)),
        (StandInNvml(rtx_4090(nvmlDeviceGetName=NAME.encode())), (WHOLE,)),
        (StandInNvml(rtx_4090(nvmlDeviceGetMemoryInfo=UNABLE)), (Gpu(NAME, None, None, "580.95"),)),
        (StandInNvml(rtx_4090(nvmlDeviceGetName=UNABLE)), (Gpu("NVIDIA GPU", TOTAL, FREE, "580.95"),)),
        (StandInNvml(rtx_4090(), lacks=frozenset({"nvmlSystemGetDriverVersion"})), (Gpu(NAME, TOTAL, FREE, ""),)),
        (StandInNvml(rtx_4090(lost=True), rtx_4090()), (WHOLE,)),
        (StandInNvml(rtx_4090(nvmlDeviceGetName=nvml_error("GPU_IS_LOST")), rtx_4090()), (WHOLE,)),
        (StandInNvml(rtx_4090(), lacks=frozenset({"nvmlDeviceGetCount"})), ()),
        (StandInNvml(rtx_4090(nvmlDeviceGetName=nvml_error("DRIVER_NOT_LOADED"))), ()),
        (StandInNvml(rtx_4090(), dead="DRIVER_NOT_LOADED"), ()),
        (StandInNvml(rtx_4090(), dead="LIBRARY_NOT_FOUND"), ()),
    ],
)
def test_a_card_that_does_not_answer_is_a_card_of_which_less_is_known(
    monkeypatch: pytest.MonkeyPatch, library: StandInNvml, found: tuple[Gpu, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert nvidia_gpus() == found
    assert not library.open
