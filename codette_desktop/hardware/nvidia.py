"""NVIDIA graphics cards as they are now, through NVML. Where there is no driver there are none; nothing here raises."""

import logging
from dataclasses import dataclass
from typing import Any

from codette_desktop.hardware.nvml import CardGone, DriverGone, Nvml

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics card. Sizes in bytes; None where the driver does not tell."""

    name: str
    memory_bytes: int | None
    memory_free_bytes: int | None
    driver: str = ""


def nvidia_gpus() -> tuple[Gpu, ...]:
    """The cards the NVIDIA driver knows, in its order."""
    nvml = Nvml.open()
    if nvml is None:
        return ()
    found: list[Gpu] = []
    try:
        for handle in nvml.handles():
            try:
                found.append(_read(nvml, handle))
            except CardGone:
                log.debug("an NVIDIA card was lost while it was read")
    except DriverGone as error:
        log.debug("the NVIDIA driver stopped answering: %s", error)
    finally:
        nvml.close()
    return tuple(found)


def _read(nvml: Nvml, handle: Any) -> Gpu:
    memory = nvml.memory(handle)
    return Gpu(
        name=nvml.text("nvmlDeviceGetName", handle) or "NVIDIA GPU",
        memory_bytes=int(memory.total) if memory else None,
        memory_free_bytes=int(memory.free) if memory else None,
        driver=nvml.text("nvmlSystemGetDriverVersion"),
    )
