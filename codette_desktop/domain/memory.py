"""Memory: what loading a model has really taken, by its file and how it was loaded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TakenMemory:
    """What loads of one file with the same settings took, smoothed over `loads` of them.

    Bytes of the computer's own memory and of its GPUs together; `computed` is what was expected of the last one.
    """

    cpu_bytes: int
    gpu_bytes: int
    computed_cpu_bytes: int
    computed_gpu_bytes: int
    loads: int = 1
