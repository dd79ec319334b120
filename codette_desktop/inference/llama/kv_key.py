"""What must be the same for keys and values computed by one process to be of use to another."""

import hashlib
import json

from codette_desktop.domain.models import ModelInfo
from codette_desktop.inference.llama.context import Context
from codette_desktop.inference.llama.library import library
from codette_desktop.models.gguf import GgufHeader, read_header


def state_key(info: ModelInfo, context: Context) -> str:
    """Stands for the weights, the adapters in their order, and how they are run; "" where the weights are not known.

    The template does not count, since sequences are of tokens. Rounding depends on how a prompt is split and on what
    computes it, so chunk, threads and device count. So does the length of the context for models whose rotation
    depends on it.
    """
    if not info.file_hash or not all(adapter.file_hash for adapter in info.adapters):
        return ""
    engine, settings = library(), context.settings
    traits = {
        "model": info.file_hash,
        "adapters": [(adapter.file_hash, adapter.scale) for adapter in info.adapters],
        "kv_type": settings.kv_type.value,
        "flash_attention": settings.flash_attention.value,
        "chunk": context.chunk,
        "threads": context.threads,
        "gpu": (engine.gpu, settings.gpu_layers) if engine.gpu and settings.gpu_layers else None,
        "engine": engine.build,
        "cells": context.cells if _rotates_by_length(read_header(info.path)) else None,
    }
    return hashlib.blake2b(json.dumps(traits, sort_keys=True).encode(), digest_size=16).hexdigest()


def _rotates_by_length(header: GgufHeader) -> bool:
    """As Phi-3's "longrope": one set of factors for short contexts, another for long ones."""
    return header.metadata.get(f"{header.architecture}.rope.scaling.type") == "longrope" or any(
        tensor.name.startswith("rope_factors_long") for tensor in header.tensors
    )
