"""Every setting of the engine in words: what it does, what it costs, what may be chosen. The settings window draws it.

Written for someone who has never heard of a key-value cache.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from codette_desktop.domain.models import EngineSettings, FlashAttention, KvType, Numa

MEMORY_LIMIT = "memory_limit_gb"


class FieldKind(StrEnum):
    """What a person sets it with."""

    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """One of several: its stored `value`, what is shown, and what it means."""

    value: str
    label: str
    explanation: str


@dataclass(frozen=True, slots=True)
class EngineSettingField:
    """One setting. `explanation` says what it does, `cost` what more of it takes or risks.

    `least` to `most` may be chosen, and `special`, whose meaning `special_label` gives ("Automatic"). `for_one_model`
    says that a model may have a value of its own; the others count for the whole computer.
    """

    name: str
    label: str
    kind: FieldKind
    explanation: str
    cost: str
    unit: str = ""
    least: float = 0
    most: float = 0
    step: float = 1
    special: float | None = None
    special_label: str = ""
    choices: tuple[FieldChoice, ...] = ()
    for_one_model: bool = True


_FIELDS = (
    EngineSettingField(
        "context_length",
        "Context length",
        FieldKind.NUMBER,
        "How much of a conversation the model can have before its eyes at once: your instructions, the earlier "
        "questions and answers, and the answer it is writing. 1,000 tokens are about 750 English words. When a "
        "conversation grows longer, its oldest part is left out, and the answer says so.",
        "Each token takes memory for as long as the model is loaded, and a full context makes answers slower. A value "
        "for all models is at most what each was trained for; set for one model it may be more, which makes its "
        "answers worse.",
        unit="tokens",
        least=256,
        most=1_048_576,
        step=512,
        special=0,
        special_label="Automatic: the model's own, at most 8,192",
    ),
    EngineSettingField(
        "parallel",
        "Answers side by side",
        FieldKind.NUMBER,
        "For how many full-length answers of one model there is room at the same time, as when you ask for several "
        "versions or run a duel. Answers that find no room take turns; nothing is lost.",
        "Each one takes as much memory as a whole context.",
        unit="answers",
        least=1,
        most=8,
        special=0,
        special_label="Automatic: up to 4 where memory is plentiful",
    ),
    EngineSettingField(
        "kv_type",
        "Precision of the context",
        FieldKind.CHOICE,
        "How exactly the model remembers what it has read. Fewer bits let a longer context fit into the same memory.",
        "8 bits are hardly ever noticed. 4 bits can make answers about details far back in a long text less exact.",
        choices=(
            FieldChoice(KvType.F16, "16 bits", "Full precision. The default."),
            FieldChoice(KvType.Q8_0, "8 bits", "A little over half the memory of 16 bits."),
            FieldChoice(KvType.Q4_0, "4 bits", "A little over a quarter of it. For when nothing else fits."),
        ),
    ),
    EngineSettingField(
        "gpu_layers",
        "Layers on the graphics card",
        FieldKind.NUMBER,
        "A model is a stack of layers. Those on the graphics card are computed much faster than those on the "
        "processor; a model that lies there entirely is the fastest. Has no effect without a graphics card that the "
        "engine can use.",
        "Each layer takes memory of the graphics card. Too many, and other programs or the screen run out of it.",
        unit="layers",
        least=0,
        most=1_000,
        special=-1,
        special_label="Automatic: all that fit",
    ),
    EngineSettingField(
        "threads",
        "Processor threads",
        FieldKind.NUMBER,
        "How many cores of the processor work on an answer. Up to the number of cores, more of them write it faster.",
        "All of them make the rest of the computer slow, and often the answer too: the cores then wait for each "
        "other. More than there are cores never helps.",
        unit="threads",
        least=1,
        most=512,
        special=0,
        special_label="Automatic: one core is left to the rest of the computer",
    ),
    EngineSettingField(
        "batch_tokens",
        "Reading step",
        FieldKind.NUMBER,
        "How much of a question is read in one step, before the answer begins. It changes how fast long texts are "
        "read, not how fast the answer is written. The engine takes at most 512 tokens a step.",
        "Smaller steps take less memory and stop sooner when you press Stop, but read a long text more slowly.",
        unit="tokens",
        least=32,
        most=8_192,
        step=32,
    ),
    EngineSettingField(
        "flash_attention",
        "Flash attention",
        FieldKind.CHOICE,
        "A way of computing that needs much less memory while a long text is read, and is usually faster.",
        "None that is known where it works; switch it off only if answers look wrong. A context of 8 or 4 bits needs "
        "it.",
        choices=(
            FieldChoice(FlashAttention.AUTO, "Automatic", "On wherever the model and the device can do it."),
            FieldChoice(FlashAttention.ON, "On", "Always. A model that cannot do it is not loaded."),
            FieldChoice(FlashAttention.OFF, "Off", "Never. Long contexts then take several times the memory."),
        ),
    ),
    EngineSettingField(
        "use_mmap",
        "Read the file on demand",
        FieldKind.SWITCH,
        "The model's file is used where it lies, and the system reads a part when it is first needed. A model used "
        "before loads in a moment, and two programs share one copy.",
        "From a slow or network drive the first answer can stutter. Switched off, the whole file is read into memory "
        "first.",
    ),
    EngineSettingField(
        "lock_memory",
        "Keep in memory",
        FieldKind.SWITCH,
        "Forbids the system to move the model out to the disk while other programs need memory, so that the next "
        "answer never waits for the disk.",
        "That memory is lost to everything else until the model leaves. Some systems allow it only to a small size; "
        "the model then runs as if it were switched off.",
    ),
    EngineSettingField(
        "keep_alive_minutes",
        "Leave memory when unused for",
        FieldKind.NUMBER,
        "A model that nobody has used for so long leaves memory by itself.",
        "A short time frees memory sooner for other programs; the next question then waits until the model is "
        "loaded again.",
        unit="minutes",
        least=1,
        most=10_080,
        special=0,
        special_label="Never: it stays until its memory is needed",
    ),
    EngineSettingField(
        "numa",
        "Several processors",
        FieldKind.CHOICE,
        "How the work is spread on a computer with more than one processor, each with memory of its own. Nearly all "
        "desktop computers have one: leave it off there.",
        "On a computer with one processor it does nothing or makes answers slower. It counts from the next start of "
        "the application.",
        choices=(
            FieldChoice(Numa.OFF, "Off", "Nothing special. Right for nearly all computers."),
            FieldChoice(Numa.DISTRIBUTE, "Spread", "Evenly over all processors: for one large model."),
            FieldChoice(Numa.ISOLATE, "Stay on one", "On the processor where it started: for several small models."),
        ),
        for_one_model=False,
    ),
    EngineSettingField(
        MEMORY_LIMIT,
        "Memory for all models",
        FieldKind.NUMBER,
        "How much of the computer's memory the models may take together. What does not fit together is loaded one "
        "after the other; the model used longest ago leaves first.",
        "Less leaves more to other programs, but models are loaded anew more often.",
        unit="GB",
        least=0.1,
        most=4_096,
        step=0.5,
        special=0,
        special_label="Automatic: what is free, less 5 % for the rest of the computer",
        for_one_model=False,
    ),
)


def engine_setting_fields() -> tuple[EngineSettingField, ...]:
    """All settings, those that matter to most people first."""
    return _FIELDS


BY_NAME = {field.name: field for field in _FIELDS}
KINDS: dict[str, type[Any]] = {name: type(value) for name, value in asdict(EngineSettings()).items()}
