"""A real model with its vocabulary in another order: the same model to whoever compares texts, another by token ids."""

from pathlib import Path

import gguf
import numpy as np

_NORMAL = int(gguf.TokenType.NORMAL)
_BY_TOKEN = ("tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.token_type")
_WEIGHTS_BY_TOKEN = ("token_embd.weight", "output.weight")


def rotate_vocabulary(source: Path, target: Path, by: int = 100) -> Path:
    """Write `source` again with its normal tokens moved on by so many places. Returns `target`."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    order = _order(reader, by)
    for name, entry in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value = entry.contents()
        if name in _BY_TOKEN:
            value = [value[at] for at in order]
        kinds = entry.types
        writer.add_key_value(name, value, kinds[0], kinds[-1] if len(kinds) > 1 else None)
    for tensor in reader.tensors:
        data = tensor.data[order] if tensor.name in _WEIGHTS_BY_TOKEN else tensor.data
        writer.add_tensor(tensor.name, np.ascontiguousarray(data), raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def _order(reader: gguf.GGUFReader, by: int) -> list[int]:
    """Which old token stands at each new place."""
    kinds = reader.fields["tokenizer.ggml.token_type"].contents()
    normal = [at for at, kind in enumerate(kinds) if kind == _NORMAL]
    moved = dict(zip(normal, np.roll(normal, by).tolist(), strict=True))
    return [moved.get(at, at) for at in range(len(kinds))]
