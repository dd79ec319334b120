"""From a model and its settings to a load: how many layers, how many tokens, and the memory that takes."""

import json
import logging
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

from codette_desktop.domain.errors import StoreError
from codette_desktop.domain.memory import TakenMemory
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.holding import Amount
from codette_desktop.inference.llama.devices import DeviceMemory, ProcessMemory, memory_now
from codette_desktop.inference.memory import MemoryBudget
from codette_desktop.models.fit import Fit, Memory, judge
from codette_desktop.models.gguf import GgufHeader
from codette_desktop.models.headers import Headers
from codette_desktop.models.memory_need import (
    LoadShape,
    MemoryNeed,
    ModelNeed,
    memory_need,
    most_gpu_layers,
)

log = logging.getLogger(__name__)

DEFAULT_CONTEXT_LENGTH = 8192
SEQUENCES = 8  # answers that may be written together in one context; idle ones keep what they have read
DEFAULT_PARALLEL = 4
MOST_ROWS = 512  # tokens of a prompt computed in one step
WORKER_BYTES = 64_000_000  # what a process takes before it has loaded anything
LEAST_RESERVE_BYTES = 512 << 20
_RESERVE_SHARE, _MOST_RESERVE_SHARE = 0.05, 0.1  # of the computer's memory
_SHARE_FOR_MORE = 0.1  # of the memory that is free: what the contexts beyond the first may take
_LEAST_FACTOR, _MOST_FACTOR = 0.5, 2.0


class MemoryStore(Protocol):
    """What is kept of what loads took: see `store.model_memory`."""

    def known(self, file_hash: str, settings: str) -> TakenMemory | None: ...
    def note(self, file_hash: str, settings: str, taken: TakenMemory) -> "Future[None]": ...


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A load: `settings` with every number the application was to choose, and the memory `expected` of it.

    `computed` is that by the header alone, `expected` as earlier loads have corrected it. `length` is the context of
    one answer, the shape's cells those of all.
    """

    info: ModelInfo
    settings: EngineSettings
    shape: LoadShape
    length: int
    computed: ModelNeed
    expected: ModelNeed
    apart: bool
    unified: bool

    @property
    def need(self) -> Amount:
        """What to ask of the budget."""
        return Amount(self.expected.total if self.unified else self.expected.cpu.total, self.expected.gpu.total)

    @property
    def context_need(self) -> Amount:
        """The part of it that is not the weights: what one more context like this takes."""
        cpu, gpu = (need.total - need.weights_bytes for need in (self.computed.cpu, self.computed.gpu))
        return Amount(cpu + gpu if self.unified else cpu, gpu)

    @property
    def reclaimable(self) -> Amount:
        """The part of it that the system counts as free all the same: the mapped file, on Linux."""
        mapped = sys.platform == "linux" and self.settings.use_mmap and not self.settings.lock_memory
        return Amount(self.expected.cpu.weights_bytes if mapped else 0)

    @property
    def key(self) -> str:
        """All that decides what a load of the file takes, as text."""
        values = {
            "cells": self.shape.cells, "kv": self.shape.kv_type, "flash": self.shape.flash_attention,
            "rows": self.shape.rows, "gpu": self.shape.gpu_layers, "mmap": self.settings.use_mmap, "apart": self.apart,
        }  # fmt: skip
        return json.dumps(values, sort_keys=True)


class LoadPlanner:
    """Plans loads. Headers are read once for each state of a file. Any thread; reads the disk."""

    def __init__(
        self,
        budget: MemoryBudget,
        store: MemoryStore | None = None,
        memory: Callable[[], DeviceMemory] = memory_now,
        headers: Headers | None = None,
    ) -> None:
        self._budget = budget
        self._store = store
        self._memory = memory
        self._headers = headers or Headers()

    def header(self, info: ModelInfo) -> GgufHeader:
        """The file's header as the file is now. Raises ModelError."""
        return self._headers.read(info.path)

    def plan(self, info: ModelInfo, settings: EngineSettings, *, apart: bool = False) -> LoadPlan:
        """What a load takes now. Raises ModelError."""
        header = self.header(info)
        device = self._memory()
        settings = self._resolved(header, info, settings, device)
        length = context_length(info, settings)
        shape = _shape(settings, length)
        computed = _apart(memory_need(header, shape)) if apart else memory_need(header, shape)
        plan = LoadPlan(info, settings, shape, length, computed, computed, apart, device.unified)
        return replace(plan, expected=self._corrected(plan))

    def fit(self, info: ModelInfo, settings: EngineSettings, *, apart: bool = False, in_memory: bool = False) -> Fit:
        """Whether the model fits now, in words; what one `in_memory` takes counts as free. Raises ModelError."""
        plan = self.plan(info, settings, apart=apart)
        device, room, ours = self._memory(), self._budget.room(), self._budget.ours()
        if in_memory:
            room, ours = room + plan.need, ours - plan.need
        memory = Memory(
            room.cpu, device.total, room.gpu, device.gpu_total, ours=ours.cpu, gpu_ours=ours.gpu, unified=device.unified
        )
        return judge(self.header(info), plan.shape, memory, expected=plan.expected, context_length=plan.length)

    def advice(self, plan: LoadPlan) -> str:
        """What would make a load fit that does not fit even alone; "" where it does. Raises ModelError."""
        device, room, ours = self._memory(), self._budget.room(), self._budget.ours()
        alone = Memory(room.cpu + ours.cpu, device.total, room.gpu + ours.gpu, device.gpu_total, unified=plan.unified)
        fit = judge(self.header(plan.info), plan.shape, alone, expected=plan.expected, context_length=plan.length)
        return fit.advice

    def note(self, plan: LoadPlan, took: ProcessMemory, gpu_bytes: int = 0) -> None:
        """Learn what the load really took.

        Where weights are laid out anew for the processor, pages of the file stay beside them until the system wants
        them back: what exceeds the expected counts only as far as it is memory of the process's own.
        """
        computed = plan.computed
        cpu_bytes = max(took.resident - took.mapped, min(took.resident, computed.cpu.total))
        if self._store is None or not plan.info.file_hash or cpu_bytes <= 0:
            return
        taken = TakenMemory(cpu_bytes, max(0, gpu_bytes), computed.cpu.total, computed.gpu.total)
        try:
            self._store.note(plan.info.file_hash, plan.key, taken)
        except StoreError as error:
            log.info("what a load took could not be kept: %s", error)

    def _resolved(
        self, header: GgufHeader, info: ModelInfo, settings: EngineSettings, device: DeviceMemory
    ) -> EngineSettings:
        """The settings with the layers that fit on the GPU, and the answers there is plenty of room for."""
        room, ours = self._budget.room(), self._budget.ours()
        layers = settings.gpu_layers if device.gpu_total else 0
        length = context_length(info, settings)
        if layers:
            shape = _shape(replace(settings, gpu_layers=layers, parallel=settings.parallel or 1), length)
            layers = most_gpu_layers(header, shape, room.gpu + ours.gpu) if layers < 0 else layers
        settings = replace(settings, gpu_layers=layers)
        if settings.parallel:
            return settings
        one = memory_need(header, _shape(replace(settings, parallel=1), length))
        for parallel in range(DEFAULT_PARALLEL, 1, -1):
            more = memory_need(header, _shape(replace(settings, parallel=parallel), length))
            extra, spare = more.total - one.total, (room.gpu if one.gpu.kv_bytes else room.cpu)
            whole = Amount(more.cpu.total, more.gpu.total)
            if extra <= spare * _SHARE_FOR_MORE and whole.fits(room):
                return replace(settings, parallel=parallel)
        return replace(settings, parallel=1)

    def _corrected(self, plan: LoadPlan) -> ModelNeed:
        """The need as earlier loads have taught; never less than weights, keys and values."""
        known = None
        if self._store is not None and plan.info.file_hash:
            try:
                known = self._store.known(plan.info.file_hash, plan.key)
            except StoreError as error:
                log.info("what earlier loads took could not be read: %s", error)
        if known is None:
            return plan.computed
        return ModelNeed(_scaled(plan.computed.cpu, known.cpu_bytes), _scaled(plan.computed.gpu, known.gpu_bytes))


def context_length(info: ModelInfo, settings: EngineSettings) -> int:
    """Tokens of context: those of `settings`, else the model's own up to 8,192."""
    return settings.context_length or min(info.context_length or DEFAULT_CONTEXT_LENGTH, DEFAULT_CONTEXT_LENGTH)


def reserve(total_bytes: int) -> int:
    """What models leave to the rest of the computer: a twentieth of its memory, at least 512 MB, at most a tenth."""
    return int(min(max(LEAST_RESERVE_BYTES, total_bytes * _RESERVE_SHARE), total_bytes * _MOST_RESERVE_SHARE))


def rule_of(
    limit_bytes: Callable[[], int], memory: Callable[[], DeviceMemory] = memory_now
) -> Callable[[Amount], Amount]:
    """The budget's rule: what is free less the reserve, or the person's own limit (0: none) where that is lower.

    A GPU is used whole but for a twentieth, which the screen and the driver need.
    """

    def rule(whole: Amount) -> Amount:
        device, limit = memory(), limit_bytes()
        cpu = min(limit, whole.cpu) if limit else whole.cpu - reserve(device.total)
        return Amount(cpu, whole.gpu - int(device.gpu_total * _RESERVE_SHARE))

    return rule


def free_now(memory: Callable[[], DeviceMemory] = memory_now) -> Callable[[], Amount]:
    """What the budget measures."""

    def measure() -> Amount:
        device = memory()
        return Amount(device.free, device.gpu_free)

    return measure


def _shape(settings: EngineSettings, length: int) -> LoadShape:
    return LoadShape(
        cells=length * max(1, settings.parallel),
        sequences=SEQUENCES,
        rows=max(1, min(settings.batch_tokens, length, MOST_ROWS)) + SEQUENCES - 1,
        kv_type=settings.kv_type,
        flash_attention=settings.flash_attention,
        gpu_layers=settings.gpu_layers,
    )


def _apart(need: ModelNeed) -> ModelNeed:
    return replace(need, cpu=replace(need.cpu, compute_bytes=need.cpu.compute_bytes + WORKER_BYTES))


def _scaled(need: MemoryNeed, taken: int) -> MemoryNeed:
    if not need.total or taken <= 0:
        return need
    factor = min(_MOST_FACTOR, max(_LEAST_FACTOR, taken / need.total))
    return replace(need, compute_bytes=max(0, int(need.total * factor) - need.certain_bytes))
