"""Whether a model fits into the memory that is free, in words that hold the numbers, and what would make it fit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from codette_desktop.domain.models import KvType
from codette_desktop.models.gguf import GgufHeader
from codette_desktop.models.memory_need import LoadShape, MemoryNeed, ModelNeed, memory_need, most_gpu_layers

SHORTEST_CONTEXT = 2048
Changes = Iterator[tuple[str, LoadShape]]
_SMALLER = (("Q8_0", 8.5), ("Q5_K_M", 5.7), ("Q4_K_M", 4.9), ("Q3_K_M", 3.9), ("Q2_K", 3.2))  # bits a weight, about


class Verdict(StrEnum):
    """Fits now; fits once models in memory have left; does not fit."""

    FITS = "fits"
    FITS_LATER = "fits later"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of the computer's memory and of its GPUs together; `free` as of now, what may be taken of it.

    `ours` of the free bytes is what models in memory give back when they leave. `unified` is one memory for both.
    """

    free: int
    total: int
    gpu_free: int = 0
    gpu_total: int = 0
    ours: int = 0
    gpu_ours: int = 0
    unified: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """What a model needs and what there is: `words` say both, and `advice` what would make it fit ("" where it does).

    `free_bytes` counts what may be taken of the computer's memory now, `gpu_free_bytes` of the GPUs'.
    """

    need: ModelNeed
    free_bytes: int
    gpu_free_bytes: int
    verdict: Verdict
    words: str
    advice: str = ""

    @property
    def sentence(self) -> str:
        """Words and advice: "needs 5.2 GB, 3.1 GB of 16.0 GB can be used: use a context of 4,096 tokens: 3.0 GB"."""
        return f"{self.words}: {self.advice}" if self.advice else self.words


def size_text(size_bytes: int) -> str:
    """ "5.2 GB", or "310 MB" below half a gigabyte."""
    if abs(size_bytes) < 500e6:
        return f"{size_bytes / 1e6:,.0f} MB" if abs(size_bytes) >= 10e6 else f"{size_bytes / 1e6:,.1f} MB"
    return f"{size_bytes / 1e9:,.1f} GB"


def fits(need: ModelNeed, memory: Memory) -> bool:
    """Whether it fits into what is free now, on every device."""
    return _fits(need, memory.free, memory.gpu_free, memory.unified)


def judge(
    header: GgufHeader, shape: LoadShape, memory: Memory, *, expected: ModelNeed | None = None, context_length: int = 0
) -> Fit:
    """Whether a load of `shape` fits, and what would make it fit if it does not.

    `expected` is the need where earlier loads have corrected it. `context_length` is that of one answer, which the
    advice speaks of (default: all of the shape's cells).
    """
    need = expected or memory_need(header, shape)
    if fits(need, memory):
        verdict = Verdict.FITS
    elif _fits(need, memory.free + memory.ours, memory.gpu_free + memory.gpu_ours, memory.unified):
        verdict = Verdict.FITS_LATER
    else:
        verdict = Verdict.TOO_LARGE
    advice = ""
    if verdict is Verdict.FITS_LATER:
        advice = "models in memory leave for it"
    elif verdict is Verdict.TOO_LARGE:
        factor = need.total / max(1, memory_need(header, shape).total)
        advice = _advice(header, shape, memory, factor, context_length or shape.cells)
    return Fit(need, memory.free, memory.gpu_free, verdict, _words(need, memory), advice)


def _fits(need: ModelNeed, free: int, gpu_free: int, unified: bool) -> bool:
    if unified:
        return need.total <= free and need.gpu.total <= max(gpu_free, 0)
    return need.cpu.total <= free and need.gpu.total <= gpu_free


def _words(need: ModelNeed, memory: Memory) -> str:
    words = (
        f"needs {size_text(need.cpu.total)}, {size_text(max(0, memory.free))} of {size_text(memory.total)} can be used"
    )
    if need.gpu.total:
        words += (
            f"; and {size_text(need.gpu.total)} on the GPU, where {size_text(max(0, memory.gpu_free))} of "
            f"{size_text(memory.gpu_total)} can be used"
        )
    return words


def _advice(header: GgufHeader, shape: LoadShape, memory: Memory, factor: float, context_length: int) -> str:
    """The smallest changes that would do, each with the memory it then takes."""
    whole = replace(memory, free=memory.free + memory.ours, gpu_free=memory.gpu_free + memory.gpu_ours)

    def first_working(changes: Changes) -> list[tuple[str, int]]:
        for words, changed in changes:
            need = _scaled(memory_need(header, changed), factor)
            if fits(need, whole):
                return [(words, need.total)]
        return []

    kinds = (_contexts(shape, context_length), _kv_types(shape), _gpu_layers(header, shape, whole))
    alone = [found for kind in kinds for found in first_working(kind)]
    if alone:
        return f"use {' or '.join(words for words, _ in alone)}: {size_text(max(size for _, size in alone))}"
    for words, size in first_working(_together(shape, context_length)):
        return f"use {words}: {size_text(size)}"
    return _smaller_file(header, shape, whole)


def _scaled(need: ModelNeed, factor: float) -> ModelNeed:
    """The need with what earlier loads taught put on what is only estimated."""

    def scaled(part: MemoryNeed) -> MemoryNeed:
        extra = int(part.total * factor) - part.certain_bytes
        return replace(part, compute_bytes=max(0, extra))

    return ModelNeed(scaled(need.cpu), scaled(need.gpu))


def _contexts(shape: LoadShape, context_length: int) -> Changes:
    """Shorter ones, the longest first."""
    while (context_length := context_length // 2) >= SHORTEST_CONTEXT:
        yield f"a context of {context_length:,} tokens", replace(shape, cells=context_length)


def _kv_types(shape: LoadShape) -> Changes:
    if shape.kv_type is KvType.F16:
        for kv_type in (KvType.Q8_0, KvType.Q4_0):
            yield f"{kv_type} keys and values", replace(shape, kv_type=kv_type)


def _gpu_layers(header: GgufHeader, shape: LoadShape, memory: Memory) -> Changes:
    if shape.gpu_layers and not memory.unified:
        layers = most_gpu_layers(header, shape, memory.gpu_free)
        yield (f"{layers} layers on the GPU" if layers else "no layers on the GPU"), replace(shape, gpu_layers=layers)


def _together(shape: LoadShape, context_length: int) -> Changes:
    """Shorter contexts with quantised keys and values, on the GPU and off it."""
    for words, shorter in _contexts(shape, max(context_length, 2 * SHORTEST_CONTEXT)):
        for kv_type in (KvType.Q8_0, KvType.Q4_0):
            changed = replace(shorter, kv_type=kv_type)
            yield f"{words} with {kv_type} keys and values", changed
            if shape.gpu_layers:
                yield (
                    f"{words} with {kv_type} keys and values and no layers on the GPU",
                    replace(changed, gpu_layers=0),
                )


def _smaller_file(header: GgufHeader, shape: LoadShape, memory: Memory) -> str:
    """A quantisation of the same model that would fit with a short context; else a smaller model."""
    short = memory_need(header, replace(shape, cells=min(shape.cells, SHORTEST_CONTEXT), gpu_layers=0)).cpu
    bits_now = 8 * short.weights_bytes / max(1, header.parameters)
    for name, bits in _SMALLER:
        size = int(header.parameters * bits / 8) + short.kv_bytes + short.compute_bytes
        if bits < bits_now and size <= memory.free:
            return f"use a smaller quantisation of it, such as {name}: about {size_text(size)}"
    return f"even with the shortest context it needs {size_text(short.total)}; choose a smaller model"
