"""NVIDIA's management library: opened, asked one value at a time, closed. The only place that knows its errors."""

import importlib
import logging
import warnings
from typing import Any

log = logging.getLogger(__name__)

_CARD_GONE = {"NVMLError_GpuIsLost", "NVMLError_GpuNotFound", "NVMLError_ResetRequired"}
_DRIVER_GONE = {"NVMLError_Uninitialized", "NVMLError_DriverNotLoaded", "NVMLError_LibRmVersionMismatch"}


class CardGone(Exception):
    """The card has fallen off the bus, or wants a reset: nothing of it can be read until it returns."""


class DriverGone(Exception):
    """The driver was unloaded or replaced: every handle is worthless until the library is opened again."""


class Nvml:
    """The opened library. The driver counts who opened it, so several may be open at a time."""

    def __init__(self, library: Any) -> None:
        self._library = library

    @classmethod
    def open(cls) -> "Nvml | None":
        """None where there is no driver, or none that answers."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                library: Any = importlib.import_module("pynvml")  # of the package nvidia-ml-py; it has no types
            library.nvmlInit()
        except Exception as error:  # noqa: BLE001 - a sensor that cannot be read is a machine without it
            log.debug("no NVIDIA driver: %s", error)
            return None
        return cls(library)

    def ask(self, function: str, *arguments: Any) -> Any:
        """What the function answers; None where the card or the driver cannot do that.

        Raises CardGone and DriverGone, after which further questions are useless. Everything else means "cannot": not
        supported, no permission, a function that this driver or this version of the package lacks.
        """
        try:
            return getattr(self._library, function)(*arguments)
        except Exception as error:
            name = type(error).__name__
            if name in _CARD_GONE:
                raise CardGone(function) from error
            if name in _DRIVER_GONE:
                raise DriverGone(function) from error
            return None

    def first(self, *functions: str, arguments: tuple[Any, ...]) -> Any:
        """The answer of the first function that has one: newer names first, those of older drivers after them."""
        for function in functions:
            if (answer := self.ask(function, *arguments)) is not None:
                return answer
        return None

    def handles(self) -> tuple[Any, ...]:
        """Every card that answers. Raises DriverGone."""
        found: list[Any] = []
        for index in range(self.ask("nvmlDeviceGetCount") or 0):
            try:
                found.append(self.ask("nvmlDeviceGetHandleByIndex", index))
            except CardGone:
                log.debug("NVIDIA card %d is not there", index)
        return tuple(handle for handle in found if handle is not None)

    def text(self, function: str, *arguments: Any) -> str:
        """An answer in words, "" for none. Raises as `ask`."""
        answer = self.ask(function, *arguments)
        return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer or "")

    def memory(self, handle: Any) -> Any:
        """`total`, `used` and `free` in bytes, or None. Raises as `ask`.

        The second version leaves out of `used` what the driver keeps for itself; old drivers know the first alone.
        """
        newer = self.ask("nvmlDeviceGetMemoryInfo", handle, _MEMORY_V2)
        return newer if newer is not None else self.ask("nvmlDeviceGetMemoryInfo", handle)

    def close(self) -> None:
        """Give the library back."""
        try:
            self._library.nvmlShutdown()
        except Exception as error:  # noqa: BLE001 - it was unloaded beneath us
            log.debug("the NVIDIA driver did not close: %s", error)


_MEMORY_V2 = 0x02000028  # nvmlMemory_v2: the size of the structure and its version
