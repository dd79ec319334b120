"""Names of models with adapters on them: "MODEL+ADAPTER@SCALE", several with more "+".

A file's name may contain "+" or "@" itself, so what is there decides how a name is read: the longest match first.
"""

import difflib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from codette_desktop.domain.errors import ModelNotFound
from codette_desktop.domain.models import Adapter, ModelInfo
from codette_desktop.models.adapters import AdapterInfo

PLUS = "+"
_MARKS = ("@", "×")  # as typed, and as in a label
LARGEST_SCALE = 10.0
_SHOWN = 5

Named = Callable[[str], AdapterInfo | None]
Scaled = tuple[AdapterInfo, float]


def splits(text: str) -> Iterator[tuple[str, str]]:
    """Every way to cut a name into that of a model and its adapters, the longest name of a model first."""
    at = text.rfind(PLUS)
    while at > 0:
        yield text[:at].strip(), text[at + 1 :].strip()
        at = text.rfind(PLUS, 0, at)


def adapters_of(text: str, named: Named, known: Sequence[AdapterInfo]) -> list[Scaled]:
    """The adapters and scales that `text` names, in order: "tone@0.5+style".

    `named` finds one by its name. Raises ModelNotFound, naming those of `known` that come close.
    """
    pieces = text.split(PLUS)
    found: list[Scaled] = []
    start = 0
    while start < len(pieces):
        for end in range(len(pieces), start, -1):
            one = _one(PLUS.join(pieces[start:end]).strip(), named, alone=end == start + 1)
            if one is not None:
                break
        else:
            wanted = _without_scale(pieces[start].strip())
            raise ModelNotFound(f"There is no adapter '{wanted}'.", _suggestion(wanted, known))
        if one[0].path in {adapter.path for adapter, _scale in found}:
            raise ModelNotFound(f"The adapter {one[0].name} is named twice.", "Name it once, with its scale.")
        found.append(one)
        start = end
    return found


def adapted(model: ModelInfo, adapters: Sequence[tuple[AdapterInfo, float, str]]) -> ModelInfo:
    """The model with adapters on it; of each its scale, and the name that it is found by."""
    put = tuple(Adapter(item.name, item.path, scale, item.file_hash) for item, scale, _name in adapters)
    texts = [name if scale == 1.0 else f"{name}@{scale:g}" for _item, scale, name in adapters]
    return replace(model, name=PLUS.join((model.name, *texts)), adapters=put)


def _one(text: str, named: Named, *, alone: bool) -> Scaled | None:
    """One adapter and its scale; only where it is `alone` a wrong scale is an error, else it may be two adapters."""
    if not text:
        return None
    if (whole := named(text)) is not None:
        return whole, 1.0
    for mark in _MARKS:
        name, found, scale = text.rpartition(mark)
        if found and (_number(scale) is not None or alone) and (adapter := named(name.strip())) is not None:
            return adapter, _scale(scale.strip(), adapter.name)
    return None


def _scale(text: str, name: str) -> float:
    """To six digits, which is how it is written in the name."""
    scale = _number(text)
    if scale is None or abs(scale) > LARGEST_SCALE:
        what = "is not a number" if scale is None else "is too far from 1"
        hint = f"Write a number from {-LARGEST_SCALE:g} to {LARGEST_SCALE:g} after the @: {name}@0.5."
        raise ModelNotFound(f"The scale '{text}' of the adapter {name} {what}.", hint)
    return float(f"{scale:g}") + 0.0  # no -0


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _without_scale(text: str) -> str:
    for mark in _MARKS:
        if mark in text:
            return text.rpartition(mark)[0].strip()
    return text


def _suggestion(wanted: str, known: Sequence[AdapterInfo]) -> str:
    if not known:
        return "Put LoRA adapters as .gguf files into a folder of models."
    by_name = {name.casefold(): item.name for item in known for name in (item.display_name, item.name)}
    close = difflib.get_close_matches(wanted.casefold(), by_name, n=_SHOWN, cutoff=0.55)
    close += [name for name in by_name if wanted and wanted.casefold() in name]
    names = list(dict.fromkeys(by_name[name] for name in close))[:_SHOWN]
    if names:
        return f"Did you mean {' or '.join(names)}?"
    shown = ", ".join(item.name for item in known[:_SHOWN])
    return f"There are the adapters {shown}{' and others' if len(known) > _SHOWN else ''}."
