"""The memory of the devices the engine computes on: how much there is, and how much is free now."""

import contextlib
import ctypes
import functools
import sys
from dataclasses import dataclass
from typing import Any

import psutil

from codette_desktop.domain.errors import EngineFailure
from codette_desktop.inference.llama import library as engine

_GPU, _INTEGRATED = 1, 2  # GGML_BACKEND_DEVICE_TYPE_GPU, _IGPU


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Bytes of the computer's memory, and of all its GPUs together; `unified` where both are the same memory."""

    free: int
    total: int
    gpu_free: int = 0
    gpu_total: int = 0
    unified: bool = False


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Bytes a process holds in memory; `mapped` of them are pages of files, 0 where the system does not tell."""

    resident: int = 0
    mapped: int = 0

    def __sub__(self, other: "ProcessMemory") -> "ProcessMemory":
        return ProcessMemory(self.resident - other.resident, self.mapped - other.mapped)


def memory_now() -> DeviceMemory:
    """As the system and the engine tell it. Without an engine, or with one for the CPU alone, there is no GPU."""
    system = psutil.virtual_memory()
    free = total = 0
    integrated = False
    for device, kind in _gpus():
        now_free, now_total = device_memory(device)
        free, total = free + now_free, total + now_total
        integrated = integrated or kind == _INTEGRATED or sys.platform == "darwin"
    return DeviceMemory(system.available, system.total, free, total, integrated)


def device_memory(device: int) -> tuple[int, int]:
    """Bytes free and in all of a device of the engine's list, given by its address."""
    query = _function("memory", None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_size_t))
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    query(device, ctypes.byref(free), ctypes.byref(total))
    return free.value, total.value


def devices() -> list[tuple[int, int]]:
    """The address and the kind of every device the engine knows, the CPU too. Raises EngineFailure."""
    count = _function("count", ctypes.c_size_t)
    get = _function("get", ctypes.c_void_p, ctypes.c_size_t)
    kind = _function("type", ctypes.c_int, ctypes.c_void_p)
    return [(device, kind(device)) for index in range(count()) if (device := get(index))]


def process_memory(pid: int | None = None) -> ProcessMemory:
    """Of a process (default: this one) now; nothing where it has gone."""
    try:
        found: Any = psutil.Process(pid).memory_info()
    except psutil.Error:
        return ProcessMemory()
    return ProcessMemory(found.rss, getattr(found, "shared", 0))


@functools.cache
def _gpus() -> tuple[tuple[int, int], ...]:
    with contextlib.suppress(EngineFailure, AttributeError, OSError):
        if engine.library().gpu is not None:
            return tuple((device, kind) for device, kind in devices() if kind in (_GPU, _INTEGRATED))
    return ()


def _function(name: str, result: Any, *arguments: Any) -> Any:
    function = engine.device_function(engine.library().c, name)
    function.restype, function.argtypes = result, list(arguments)
    return function
