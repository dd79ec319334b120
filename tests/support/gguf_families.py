"""Real, tiny GGUF files of other shapes than the plain ones of `gguf_files`: experts, windows, states.

Weights are random; vocabularies are those of `gguf_files`. For arithmetic on memory: nothing here has to write sense.
"""

from collections.abc import Iterable
from pathlib import Path

import gguf
import numpy as np

from tests.support import gguf_files
from tests.support.gguf_files import ModelShape

Tensors = Iterable[tuple[str, tuple[int, ...]]]


def write_mixture(path: Path, experts: int = 4, used: int = 2, inner: int = 96) -> Path:
    """A llama whose feed-forward networks are `experts` experts, `used` of them at a time."""
    shape = ModelShape(width=64, heads=4, kv_heads=2, feed_forward=inner)
    writer = gguf.GGUFWriter(path, "llama")
    gguf_files._add_hyperparameters(writer, shape)
    writer.add_expert_count(experts)
    writer.add_expert_used_count(used)

    def layer(prefix: str) -> Tensors:
        yield from _attention(prefix, shape)
        yield prefix + "ffn_norm.weight", (shape.width,)
        yield prefix + "ffn_gate_inp.weight", (experts, shape.width)
        yield prefix + "ffn_gate_exps.weight", (experts, inner, shape.width)
        yield prefix + "ffn_up_exps.weight", (experts, inner, shape.width)
        yield prefix + "ffn_down_exps.weight", (experts, shape.width, inner)

    _write(writer, shape, [item for number in range(shape.layers) for item in layer(f"blk.{number}.")])
    return path


def write_windowed(path: Path, layers: int = 6, window: int = 128) -> Path:
    """A gemma3: five layers of six look back `window` tokens only; the output matrix is the embedding."""
    shape = ModelShape(layers=layers, width=64, heads=4, kv_heads=1, head_size=32, context_length=4096, tied=True)
    writer = gguf.GGUFWriter(path, "gemma3")
    gguf_files._add_hyperparameters(writer, shape)
    writer.add_sliding_window(window)

    def layer(prefix: str) -> Tensors:
        yield from _attention(prefix, shape)
        for name in ("attn_q_norm", "attn_k_norm"):
            yield f"{prefix}{name}.weight", (shape.head_size or 0,)
        for name in ("post_attention_norm", "ffn_norm", "post_ffw_norm"):
            yield f"{prefix}{name}.weight", (shape.width,)
        yield from _feed_forward(prefix, shape)

    _write(writer, shape, [item for number in range(layers) for item in layer(f"blk.{number}.")])
    return path


def write_recurrent(path: Path, inner: int = 128, state: int = 16) -> Path:
    """A mamba: no attention at all, a state of fixed size for each sequence."""
    shape = ModelShape(layers=3, width=64, heads=0, kv_heads=0, tied=True)
    kernel, rank = 4, 4
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_context_length(1024)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(shape.layers)
    writer.add_ssm_conv_kernel(kernel)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(rank)
    writer.add_layer_norm_rms_eps(1e-5)

    def layer(prefix: str) -> Tensors:
        yield prefix + "attn_norm.weight", (shape.width,)
        yield prefix + "ssm_in.weight", (2 * inner, shape.width)
        yield prefix + "ssm_conv1d.weight", (inner, kernel)
        yield prefix + "ssm_conv1d.bias", (inner,)
        yield prefix + "ssm_x.weight", (rank + 2 * state, inner)
        yield prefix + "ssm_dt.weight", (inner, rank)
        yield prefix + "ssm_dt.bias", (inner,)
        yield prefix + "ssm_a", (inner, state)
        yield prefix + "ssm_d", (inner,)
        yield prefix + "ssm_out.weight", (shape.width, inner)

    _write(writer, shape, [item for number in range(shape.layers) for item in layer(f"blk.{number}.")])
    return path


def _attention(prefix: str, shape: ModelShape) -> Tensors:
    head = shape.head_size or shape.width // shape.heads
    yield prefix + "attn_norm.weight", (shape.width,)
    yield prefix + "attn_q.weight", (head * shape.heads, shape.width)
    yield prefix + "attn_k.weight", (head * shape.kv_heads, shape.width)
    yield prefix + "attn_v.weight", (head * shape.kv_heads, shape.width)
    yield prefix + "attn_output.weight", (shape.width, head * shape.heads)


def _feed_forward(prefix: str, shape: ModelShape) -> Tensors:
    yield prefix + "ffn_gate.weight", (shape.feed_forward, shape.width)
    yield prefix + "ffn_up.weight", (shape.feed_forward, shape.width)
    yield prefix + "ffn_down.weight", (shape.width, shape.feed_forward)


def _write(writer: gguf.GGUFWriter, shape: ModelShape, layers: Tensors) -> None:
    gguf_files._add_byte_level_bpe(writer, shape)
    rng = np.random.default_rng(shape.seed)
    ends = [("token_embd.weight", (shape.vocabulary, shape.width)), ("output_norm.weight", (shape.width,))]
    if not shape.tied:
        ends.append(("output.weight", (shape.vocabulary, shape.width)))
    for name, size in [*ends, *layers]:
        weights = rng.standard_normal(size, dtype=np.float32) / np.float32(size[-1] ** 0.5)
        writer.add_tensor(name, np.ones(size, np.float32) if len(size) == 1 else weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
