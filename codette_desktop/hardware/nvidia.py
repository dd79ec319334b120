"""NVIDIA graphics cards, through NVML. Where there is no driver there are no cards; nothing here raises."""

import importlib
import logging
import warnings
from dataclasses import dataclass
from typing import Any

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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nvml: Any = importlib.import_module("pynvml")  # of the package nvidia-ml-py; it has no types
        nvml.nvmlInit()
    except Exception as error:  # noqa: BLE001 - a sensor that cannot be read is a machine without it
        log.debug("no NVIDIA driver: %s", error)
        return ()
    try:
        return tuple(_read(nvml, index) for index in range(nvml.nvmlDeviceGetCount()))
    except nvml.NVMLError as error:
        log.debug("the NVIDIA driver stopped answering: %s", error)
        return ()
    finally:
        nvml.nvmlShutdown()


def _read(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = _or_none(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)
    return Gpu(
        name=_text(_or_none(nvml, nvml.nvmlDeviceGetName, handle) or "NVIDIA GPU"),
        memory_bytes=int(memory.total) if memory else None,
        memory_free_bytes=int(memory.free) if memory else None,
        driver=_text(_or_none(nvml, nvml.nvmlSystemGetDriverVersion) or ""),
    )


def _or_none(nvml: Any, query: Any, *arguments: Any) -> Any:
    try:
        return query(*arguments)
    except nvml.NVMLError:
        return None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
