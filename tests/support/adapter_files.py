"""Real LoRA adapters in GGUF files with random weights, for the models of `gguf_files`, and what they add to a model.

`write_adapter(path, shape)` writes one; `delta(shape, ...)` gives, for the same arguments, the matrices that it adds at
scale 1, so that a model with the adapter merged into its weights can be written: `write_model(path, added=...)`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np
import numpy.typing as npt

from tests.support.gguf_files import ModelShape, weights_of

Matrix = npt.NDArray[np.float32]
TARGETS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
ALPHA = 8.0


def write_adapter(
    path: Path,
    shape: ModelShape | None = None,
    rank: int = 4,
    seed: int = 1,
    *,
    alpha: float = ALPHA,
    targets: tuple[str, ...] = TARGETS,
    stored: Literal["F32", "F16"] = "F32",
    name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Path:
    """Write an adapter of that rank for the matrices of `shape` whose names contain one of `targets`. Returns `path`.

    `metadata` replaces or, with None, leaves out single values: {"general.architecture": "qwen2"}.
    """
    values: dict[str, Any] = {
        "general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": alpha,
    }  # fmt: skip
    values |= {"general.name": name} if name else {}
    values |= metadata or {}
    writer = gguf.GGUFWriter(path, "llama")
    writer.kv_data[0].clear()  # the architecture that the writer puts in by itself
    for key, value in values.items():
        if isinstance(value, str):
            writer.add_string(key, value)
        elif value is not None:
            writer.add_float32(key, value)
    kind = gguf.GGMLQuantizationType[stored]
    for target, a, b in low_rank(shape or ModelShape(), rank, seed, targets):
        writer.add_tensor(f"{target}.lora_a", gguf.quants.quantize(a, kind), raw_dtype=kind)
        writer.add_tensor(f"{target}.lora_b", gguf.quants.quantize(b, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def delta(
    shape: ModelShape | None = None,
    rank: int = 4,
    seed: int = 1,
    *,
    alpha: float = ALPHA,
    targets: tuple[str, ...] = TARGETS,
    scale: float = 1.0,
) -> dict[str, Matrix]:
    """By name of the weight, scale · alpha / rank · B · A."""
    factor = np.float32(scale * alpha / rank)
    return {target: factor * (b @ a) for target, a, b in low_rank(shape or ModelShape(), rank, seed, targets)}


def both(first: Mapping[str, Matrix], second: Mapping[str, Matrix]) -> dict[str, Matrix]:
    """The sum of two deltas."""
    total = dict(first)
    for name, matrix in second.items():
        total[name] = total[name] + matrix if name in total else matrix
    return total


def low_rank(shape: ModelShape, rank: int, seed: int, targets: tuple[str, ...]) -> Iterator[tuple[str, Matrix, Matrix]]:
    """Name, A of shape (rank, inputs) and B of shape (outputs, rank). Of the embedding the engine wants A turned."""
    rng = np.random.default_rng(seed)
    for name, weights in weights_of(shape):
        if weights.ndim > 1 and any(target in name for target in targets):
            outputs, inputs = weights.shape
            a = rng.standard_normal((rank, inputs), dtype=np.float32) / np.float32(inputs**0.5)
            b = rng.standard_normal((outputs, rank), dtype=np.float32) / np.float32(4 * rank**0.5)
            yield name, a, b
