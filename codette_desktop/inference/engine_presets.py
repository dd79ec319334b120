"""Ready-made settings for this computer, each with a line that says what it does and why here (row E4)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.models import EngineSettings, KvType, Numa
from codette_desktop.hardware.machine import Machine
from codette_desktop.inference.engine_fields import BY_NAME
from codette_desktop.models.fit import size_text

# A little below 8, 24 and 64 GB: firmware and graphics keep some of what was bought.
_TIGHT_BYTES, _ROOMY_BYTES, _VAST_BYTES = 7_000_000_000, 22_000_000_000, 60_000_000_000


@dataclass(frozen=True, slots=True)
class EnginePreset:
    """`key` is stored and typed, `label` shown; `explanation` holds this computer's numbers."""

    key: str
    label: str
    explanation: str
    settings: EngineSettings


def presets(machine: Machine) -> list[EnginePreset]:
    """The presets for a computer, Automatic first."""
    return [_automatic(machine), _low_memory(machine), _balanced(machine), _fast(machine), _long_context(machine)]


def preset_of(settings: EngineSettings, machine: Machine) -> EnginePreset | None:
    """The preset that the settings equal in all that a model may have of its own; None where they were mixed."""
    wanted = _own_values(settings)
    return next((preset for preset in presets(machine) if _own_values(preset.settings) == wanted), None)


def preset_named(key: str, machine: Machine) -> EnginePreset:
    """The preset of that key. Raises InvalidRequest, naming all."""
    found = presets(machine)
    for preset in found:
        if preset.key == key:
            return preset
    raise InvalidRequest(f"There is no preset '{key}'.", f"There are: {', '.join(preset.key for preset in found)}.")


def preset_values(preset: EnginePreset, *, for_one_model: bool = False, trained_tokens: int = 0) -> Mapping[str, Any]:
    """What to store for a preset: every setting (that a model may have), so that nothing is left of earlier ones."""
    values = _own_values(preset.settings) if for_one_model else asdict(preset.settings)
    if for_one_model and 0 < trained_tokens < values["context_length"]:
        values["context_length"] = trained_tokens  # a longer one makes answers worse
    return values


def _own_values(settings: EngineSettings) -> dict[str, Any]:
    """The settings a model may have of its own."""
    return {name: value for name, value in asdict(settings).items() if BY_NAME[name].for_one_model}


def _automatic(machine: Machine) -> EnginePreset:
    return EnginePreset(
        "automatic",
        "Automatic",
        f"Everything is chosen anew for each model, by the memory that is free at that moment "
        f"({size_text(machine.memory_available_bytes)} of {size_text(machine.memory_bytes)} now).",
        EngineSettings(),
    )


def _low_memory(machine: Machine) -> EnginePreset:
    gpu = _gpu_bytes(machine)
    where = f", and what fits of it lies in the {size_text(gpu)} of the graphics card" if gpu else ""
    return EnginePreset(
        "low-memory",
        "Low memory",
        f"Takes as little of your {size_text(machine.memory_bytes)} as it can: a short context of 8 bits, one answer "
        f"at a time, and a model leaves after 5 idle minutes{where}. Answers are slower to begin.",
        EngineSettings(
            context_length=2048,
            threads=_threads(machine),
            batch_tokens=256,
            parallel=1,
            kv_type=KvType.Q8_0,
            keep_alive_minutes=5,
            numa=_numa(machine),
        ),
    )


def _balanced(machine: Machine) -> EnginePreset:
    tight = machine.memory_bytes < _TIGHT_BYTES
    length = 4096 if tight else 8192
    return EnginePreset(
        "balanced",
        "Balanced",
        f"A context of {length:,} tokens and {'one answer' if tight else '2 answers'} at a time, for which there is "
        f"room in {size_text(machine.memory_bytes)} beside other programs; {_cores_text(machine)} at work, and a model "
        "leaves after half an hour without use.",
        EngineSettings(
            context_length=length,
            threads=_threads(machine),
            parallel=1 if tight else 2,
            kv_type=KvType.Q8_0 if tight else KvType.F16,
            keep_alive_minutes=30,
            numa=_numa(machine),
        ),
    )


def _fast(machine: Machine) -> EnginePreset:
    gpu = _gpu_bytes(machine)
    roomy = machine.memory_bytes >= _ROOMY_BYTES
    place = (
        f"as many layers as fit into the {size_text(gpu)} of the graphics card"
        if gpu
        else f"{_cores_text(machine)} at work, since there is no graphics card to use"
    )
    locked = f"; models stay in memory, of which you have {size_text(machine.memory_bytes)}" if roomy else ""
    return EnginePreset(
        "fast",
        "Fast",
        f"Answers begin and run as quickly as this computer can: {place}, full precision, and room for 4 answers at "
        f"once{locked}.",
        EngineSettings(
            context_length=4096,
            threads=_threads(machine),
            batch_tokens=2048,
            parallel=4,
            lock_memory=roomy and not gpu,
            numa=_numa(machine),
        ),
    )


def _long_context(machine: Machine) -> EnginePreset:
    memory = max(machine.memory_bytes, _gpu_bytes(machine))
    length = 65_536 if memory >= _VAST_BYTES else 32_768 if memory >= _ROOMY_BYTES else 16_384
    return EnginePreset(
        "long-context",
        "Long context",
        f"{length:,} tokens, about {round(length * 0.75, -3):,.0f} words, for long documents: of 8 bits and for one "
        f"answer at a time, so that it fits into {size_text(memory)}. A model trained for less answers worse far back.",
        EngineSettings(
            context_length=length,
            threads=_threads(machine),
            parallel=1,
            kv_type=KvType.Q8_0,
            numa=_numa(machine),
        ),
    )


def _threads(machine: Machine) -> int:
    """The physical cores less one, which the window and other programs need; on a server not more than 32."""
    return min(32, max(1, machine.processor.physical_cores - 1))


def _cores_text(machine: Machine) -> str:
    cores = machine.processor.physical_cores
    return f"{_threads(machine)} of {cores} cores" if cores > 1 else "the one core"


def _gpu_bytes(machine: Machine) -> int:
    return sum(gpu.memory_bytes or 0 for gpu in machine.gpus)


def _numa(machine: Machine) -> Numa:
    return Numa.DISTRIBUTE if machine.numa_nodes > 1 else Numa.OFF
