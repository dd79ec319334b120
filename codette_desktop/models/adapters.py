"""LoRA adapters in GGUF files: what one is, and whether it fits a model, read from the headers alone.

The engine refuses some misfits in words and stops the process on others (GGML_ASSERT), so all are found here first.
Source: llama_adapter_lora_init_impl of llama.cpp 0c1e57098; the files are those of its convert_lora_to_gguf.py.
"""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from codette_desktop.domain.errors import ModelFileError, UnsupportedModel
from codette_desktop.models.gguf import GgufHeader, file_type, read_raw
from codette_desktop.models.gguf_layout import TensorInfo, lay_out
from codette_desktop.models.gguf_parser import RawHeader
from codette_desktop.models.gguf_semantics import ADAPTER, text
from codette_desktop.models.gguf_types import ValueType

_A, _B = ".lora_a", ".lora_b"
_NORM = "_norm.weight"  # the engine leaves these out
_EMBEDDING = "token_embd.weight"
_ALPHA = "adapter.lora.alpha"


@dataclass(frozen=True, slots=True)
class LowRank:
    """What is added to one matrix of a model: scale · alpha / rank · B · A. Shapes fastest dimension first."""

    target: str
    a: tuple[int, ...]
    b: tuple[int, ...]

    @property
    def rank(self) -> int:
        """The inner dimension."""
        return self.b[0]

    @property
    def fits(self) -> tuple[int, ...]:
        """The shape of the matrix it can be added to. Of embeddings A is kept the other way round."""
        first, second = (self.b[1], self.a[1]) if self.target == _EMBEDDING else (self.a[0], self.b[1])
        return (first, second, *self.a[2:])


@dataclass(frozen=True, slots=True)
class AdapterInfo:
    """An adapter the application can put on a model of its architecture.

    `name` is unique among the adapters of the library, `display_name` is what a person reads. `rank` is the largest of
    its matrices, `alpha` what they are scaled by in training (0: by their rank). `file_hash` as of `ModelInfo`.
    """

    name: str
    display_name: str
    path: Path
    architecture: str
    quantisation: str
    rank: int
    alpha: float
    parameters: int
    size_bytes: int
    file_hash: str = ""
    matrices: tuple[LowRank, ...] = field(default=(), repr=False)


def read_adapter(path: str | os.PathLike[str]) -> AdapterInfo:
    """The adapter in the file at `path`; raises what `read_header` raises, for whatever the engine would refuse."""
    path = Path(path)
    raw = read_raw(path)
    if text(raw, "general.type") != ADAPTER:
        raise UnsupportedModel("It is not an adapter.", "Choose a LoRA adapter in a .gguf file.")
    kind = text(raw, "adapter.type")
    if kind != "lora":
        raise UnsupportedModel(f"It is an adapter of the kind '{kind or 'unknown'}'; only 'lora' can be used.")
    if "adapter.alora.invocation_tokens" in raw.values:
        raise UnsupportedModel("It is an activated adapter (aLoRA), which counts from a certain word on only.")
    architecture = text(raw, "general.architecture")
    if not architecture:
        raise ModelFileError("Its metadata does not say for which architecture it is.")
    tensors = lay_out(raw)
    matrices = _matrices(tensors)
    display = (text(raw, "general.name") or "").strip()
    return AdapterInfo(
        name=path.stem,
        display_name=display or path.stem,
        path=path,
        architecture=architecture,
        quantisation=file_type(raw, tensors),
        rank=max(matrix.rank for matrix in matrices),
        alpha=_alpha(raw),
        parameters=sum(tensor.elements for tensor in tensors),
        size_bytes=raw.file_bytes,
        matrices=matrices,
    )


def misfit(adapter: AdapterInfo, header: GgufHeader) -> str:
    """Why the adapter cannot be put on the model of that header, in a sentence; "" where it can."""
    if adapter.architecture != header.architecture:
        return f"It was made for the architecture '{adapter.architecture}', the model is '{header.architecture}'."
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    for matrix in adapter.matrices:
        shape = shapes.get(matrix.target)
        if shape is None:
            return f"It changes '{matrix.target}', which the model does not have."
        if shape != matrix.fits:
            return f"It changes '{matrix.target}' of shape {_shape(matrix.fits)}; the model's is {_shape(shape)}."
    return ""


def refuse_misfit(adapter: AdapterInfo, header: GgufHeader, model: str) -> None:
    """Raise UnsupportedModel where the adapter does not fit; `model` is how the model is called."""
    reason = misfit(adapter, header)
    if reason:
        raise UnsupportedModel(
            f"The adapter {adapter.name} does not fit {model}. {reason}", "Choose the model it was trained on."
        )


def _alpha(raw: RawHeader) -> float:
    value = raw.values.get(_ALPHA)
    if value is None:
        return 0.0
    if value.type is not ValueType.FLOAT32 or value.scalar is None or not math.isfinite(float(value.scalar)):
        raise ModelFileError(f"The metadata value '{_ALPHA}' is not a number of 32 bits with a point.")
    return float(value.scalar)


def _matrices(tensors: list[TensorInfo]) -> tuple[LowRank, ...]:
    halves: dict[str, dict[str, tuple[int, ...]]] = {}
    for tensor in tensors:
        ending = tensor.name[-len(_A) :]
        if ending in (_A, _B):
            halves.setdefault(tensor.name[: -len(_A)], {})[ending] = tensor.shape
        elif not tensor.name.endswith(_NORM):
            raise UnsupportedModel(f"The tensor '{tensor.name}' is no part of a LoRA adapter.")
    if not halves:
        raise ModelFileError("It contains no weights.")
    return tuple(_low_rank(target, found) for target, found in halves.items())


def _low_rank(target: str, found: dict[str, tuple[int, ...]]) -> LowRank:
    a, b = found.get(_A), found.get(_B)
    if a is None or b is None:
        raise ModelFileError(f"Of the two matrices for '{target}' one is missing.")
    if len(a) < 2 or len(b) < 2 or a[2:] != b[2:]:
        raise ModelFileError(f"The two matrices for '{target}' are of the shapes {_shape(a)} and {_shape(b)}.")
    inner = a[0] if target == _EMBEDDING else a[1]
    if inner != b[0]:
        raise ModelFileError(f"The two matrices for '{target}' do not fit each other: {_shape(a)} and {_shape(b)}.")
    return LowRank(target, a, b)


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{size:,}" for size in shape)
