"""Stands in for `pynvml` and the NVIDIA driver beneath it, which test machines lack.

The answers are those of NVML's documentation with the figures such cards show; the errors are the package's own.
"""

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pynvml

GIB = 1 << 30
Answers = dict[str, Any]


def nvml_error(name: str) -> Exception:
    """Such as "GPU_IS_LOST", of the class the package raises for it."""
    return pynvml.NVMLError(getattr(pynvml, f"NVML_ERROR_{name}"))


def memory(total: int, used: int, reserved: int) -> Callable[..., Any]:
    """Memory in bytes: the first version of the question counts what the driver keeps as used."""

    def answer(version: int | None = None) -> Any:
        if version not in {None, pynvml.nvmlMemory_v2}:
            raise nvml_error("ARGUMENT_VERSION_MISMATCH")
        taken = used if version else used + reserved
        return SimpleNamespace(total=total, used=taken, free=total - used - reserved)

    return answer


def process(pid: int, used: int | None) -> Any:
    """A program on the card."""
    return SimpleNamespace(pid=pid, usedGpuMemory=used)


def rtx_4090(**changed: Any) -> Answers:
    """A desktop's card at work, slowed down by its power cap."""
    return {
        "nvmlDeviceGetName": "NVIDIA GeForce RTX 4090",
        "nvmlDeviceGetUUID": "GPU-4090",
        "nvmlDeviceGetMemoryInfo": memory(24 * GIB, 9 * GIB, GIB // 2),
        "nvmlDeviceGetMigMode": nvml_error("NOT_SUPPORTED"),
        "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=97, memory=61),
        "nvmlDeviceGetTemperatureV": lambda sensor: 71,
        "nvmlDeviceGetTemperature": lambda sensor: 70,
        "nvmlDeviceGetPowerUsage": 441_250,
        "nvmlDeviceGetEnforcedPowerLimit": 450_000,
        "nvmlDeviceGetTotalEnergyConsumption": 98_765_432,
        "nvmlDeviceGetClockInfo": lambda kind: {0: 2520, 1: 2520, 2: 10_501}[kind],
        "nvmlDeviceGetFanSpeed": 54,
        "nvmlDeviceGetPcieThroughput": lambda direction: {0: 2_000, 1: 30_000}[direction],
        "nvmlDeviceGetCurrentClocksEventReasons": 0x4,
        "nvmlDeviceGetCurrentClocksThrottleReasons": 0x20,
        "nvmlDeviceGetComputeRunningProcesses_v3": [process(4_000_000, 7 * GIB)],
        "nvmlDeviceGetGraphicsRunningProcesses_v3": [],
    } | changed


def a100_mig(**changed: Any) -> Answers:
    """A server's card divided by MIG: no utilisation, no fan; idle."""
    unable = nvml_error("NOT_SUPPORTED")
    answers = rtx_4090() | {
        "nvmlDeviceGetName": b"NVIDIA A100-SXM4-80GB",
        "nvmlDeviceGetUUID": b"GPU-a100",
        "nvmlDeviceGetMemoryInfo": memory(80 * GIB, GIB, GIB),
        "nvmlDeviceGetMigMode": [1, 1],
        "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=0, memory=0),
        "nvmlDeviceGetFanSpeed": unable,
        "nvmlDeviceGetCurrentClocksEventReasons": 0x1,
        "nvmlDeviceGetComputeRunningProcesses_v3": nvml_error("NO_PERMISSION"),
        "nvmlDeviceGetGraphicsRunningProcesses_v3": unable,
    }
    return answers | changed


OLD_DRIVER_LACKS = frozenset({
    "nvmlDeviceGetTemperatureV",
    "nvmlDeviceGetCurrentClocksEventReasons",
    "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetGraphicsRunningProcesses_v3",
})  # fmt: skip


class StandInNvml(ModuleType):
    """The module. `cards` may be changed while it is open; as with the driver, a handle outlives its card."""

    NVMLError = pynvml.NVMLError

    def __init__(
        self, *cards: Answers, lacks: frozenset[str] = frozenset(), driver: str = "580.95", dead: str = ""
    ) -> None:
        super().__init__("pynvml")
        self.cards = list(cards)
        self.lacks = lacks
        self.driver = driver
        self.dead = dead  # the error with which the driver refuses everything
        self.open = 0
        self.opened = 0
        self.asked: list[str] = []

    def nvmlInit(self) -> None:
        if self.dead:
            raise nvml_error(self.dead)
        self.open += 1
        self.opened += 1

    def nvmlShutdown(self) -> None:
        if not self.open:
            raise nvml_error("UNINITIALIZED")
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        self._check("nvmlDeviceGetCount")
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Answers:
        self._check("nvmlDeviceGetHandleByIndex")
        if self.cards[index].get("lost"):
            raise nvml_error("GPU_IS_LOST")
        return self.cards[index]

    def nvmlSystemGetDriverVersion(self) -> str:
        self._check("nvmlSystemGetDriverVersion")
        return self.driver

    def _check(self, name: str) -> None:
        self.asked.append(name)
        if self.dead or not self.open:
            raise nvml_error(self.dead or "UNINITIALIZED")
        if name in self.lacks:
            raise nvml_error("FUNCTION_NOT_FOUND")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not name.startswith("nvmlDevice"):
            raise AttributeError(name)

        def function(handle: Answers, *arguments: Any) -> Any:
            self._check(name)
            if handle.get("lost"):
                raise nvml_error("GPU_IS_LOST")
            if name not in handle:
                raise nvml_error("FUNCTION_NOT_FOUND")
            answer = handle[name]
            if isinstance(answer, Exception):
                raise answer
            return answer(*arguments) if callable(answer) else answer

        return function
