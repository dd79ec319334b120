"""What every reader of graphics devices offers."""

from typing import Protocol

from codette_desktop.domain.telemetry import DeviceInfo, DeviceSample


class GpuReader(Protocol):
    """Reads the devices of one vendor. Used by one thread at a time; never raises, and may take long.

    `device` is the reader's own key of a device, which stays the same as long as the reader lives: the sampler numbers
    them "gpu:0", "gpu:1" over all readers. A value that cannot be read is None, never 0. A device that was there and
    has gone is given on, as `SensorStatus.MISSING` without values, until it returns.
    """

    @property
    def vendor(self) -> str:
        """Whose devices it reads: "nvidia", "amd", "intel" or "apple"."""
        ...

    def info(self) -> tuple[DeviceInfo, ...]:
        """Every device found so far. Looks for them at the first call, then at times: it is asked with each sample."""
        ...

    def sample(self) -> tuple[DeviceSample, ...]:
        """The devices of `info`, now."""
        ...

    def close(self) -> None:
        """Give back what is held: the driver's library, files, child processes. Twice is fine."""
        ...
