"""Judges what a GGUF header means: can a model with these hyperparameters and this vocabulary be run at all?

llama.cpp refuses many contradictions in words, and the engine passes those on. It *stops the whole process* on others
(GGML_ASSERT, exceptions that leave its C interface), and these must be found before it sees the file. Each check here
that is not plain arithmetic names the place it protects; the sources are those named in `gguf_types`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from codette_desktop.domain.errors import ModelFileError, UnsupportedModel
from codette_desktop.models.gguf_layout import TensorInfo
from codette_desktop.models.gguf_parser import RawHeader, Scalar
from codette_desktop.models.gguf_types import ValueType

_MOST_LAYERS = 512  # LLAMA_MAX_LAYERS, asserted in llama_model_base::load_hparams
_MOST_EXPERTS = 1024  # LLAMA_MAX_EXPERTS, asserted there too
_LONGEST_CONTEXT = 2**31 - 1
_ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")

ADAPTER = "adapter"
_KINDS = {
    "mmproj": "a vision or sound projector, which works only together with its model",
    "imatrix": "an importance matrix, used for quantising",
    "vocab": "a vocabulary without a model",
}
_NOT_WRITERS = frozenset("clip t5 t5encoder wavtokenizer-dec qwen3tts pockettts eagle3 dflash gemma4-assistant".split())
# They turn texts into vectors and write none.
EMBEDDERS = frozenset(
    "bert modern-bert nomic-bert nomic-bert-moe neo-bert jina-bert-v2 jina-bert-v3 eurobert gemma-embedding "
    "llama-embed".split()
)
# Their graphs assert that keys and values are equally wide (GGML_ASSERT(n_embd_head_v == n_embd_head_k)).
_EQUAL_HEADS = frozenset(
    "llama llama4 deci mistral3 qwen qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3next qwen3vl qwen3vlmoe qwen35 "
    "qwen35moe gemma2 gemma3 phi2 phi3 granite granitehybrid smollm3 stablelm starcoder starcoder2 olmo olmo2 olmoe "
    "command-r cohere2 internlm2 falcon gpt2 gptneox bloom mpt exaone glm4 glm4moe chatglm baichuan orion xverse "
    "deepseek dbrx grok arctic nemotron apertus arcee ernie4_5 hunyuan-moe seed_oss bitnet jais openelm refact plamo "
    "codeshell dots1 llada llada-moe smallthinker minimax-m2 pangu-embedded plamo paddleocr".split()
)
# Theirs assert besides that the whole head is rotated (GGML_ASSERT(n_embd_head == n_rot)).
_WHOLE_ROTATION = frozenset(
    "llama llama4 deci mistral3 qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe granite smollm3 starcoder2 "
    "olmo olmo2 olmoe internlm2 falcon exaone exaone4 baichuan orion xverse deepseek dbrx grok arctic nemotron apertus "
    "arcee ernie4_5 hunyuan-moe seed_oss llada llada-moe pangu-embedded codeshell minimax-m2 smallthinker".split()
)


class AdapterFile(UnsupportedModel):
    """The file is not a model but an adapter: see `codette_desktop.models.adapters`."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """The numbers every model has. `heads` and `kv_heads` by layer; empty for models without attention."""

    architecture: str
    context_length: int
    embedding_length: int
    block_count: int
    heads: tuple[int, ...]
    kv_heads: tuple[int, ...]


class _Keys:
    """Looks values up by name under the architecture's prefix, in the type the engine insists on."""

    def __init__(self, header: RawHeader, architecture: str) -> None:
        self._values = header.values
        self._prefix = architecture

    def get(self, key: str, kind: ValueType) -> Scalar | None:
        name = f"{self._prefix}.{key}"
        value = self._values.get(name)
        if value is None:
            return None
        if value.type is not kind:
            raise ModelFileError(f"The metadata value '{name}' is stored as {value.type.name}, not as {kind.name}.")
        return value.scalar

    def number(self, key: str, default: int = 0) -> int:
        value = self.get(key, ValueType.UINT32)
        return default if value is None else int(value)

    def required(self, key: str, most: int) -> int:
        """A number from 1 to `most`."""
        if f"{self._prefix}.{key}" not in self._values:
            raise ModelFileError(f"Its metadata lacks '{self._prefix}.{key}'.")
        value = self.number(key)
        if not 0 < value <= most:
            raise ModelFileError(f"Its {key.replace('_', ' ')} is {value:,}; 1 to {most:,} are possible.")
        return value

    def by_layer(self, key: str, layers: int) -> tuple[int, ...]:
        """One number for all layers, or one for each; () where the key is missing."""
        name = f"{self._prefix}.{key}"
        value = self._values.get(name)
        if value is None or value.type is not ValueType.ARRAY:
            return () if value is None else (self.number(key),) * layers
        if value.element not in (ValueType.UINT32, ValueType.INT32) or value.items is None or value.length != layers:
            raise ModelFileError(f"The metadata value '{name}' does not hold one whole number for each layer.")
        return tuple(int(item) for item in value.items)


def text(header: RawHeader, key: str) -> str | None:
    """A string of the metadata, None where it is missing; raises ModelFileError where it is something else."""
    value = header.values.get(key)
    if value is None:
        return None
    if not isinstance(value.scalar, str):
        raise ModelFileError(f"The metadata value '{key}' is not text.")
    return value.scalar


def check_kind(header: RawHeader) -> str:
    """The architecture, if the file is a model that writes or embeds text; raises UnsupportedModel in words if not."""
    architecture = text(header, "general.architecture")
    if architecture is None:
        raise ModelFileError("Its metadata does not say of which architecture it is.")
    if text(header, "general.type") == ADAPTER:
        raise AdapterFile("The file is an adapter (LoRA), which works only together with its model.")
    if (kind := _KINDS.get(text(header, "general.type") or "")) is not None:
        raise UnsupportedModel(f"The file is {kind}.", "Choose the model itself.")
    if architecture in _NOT_WRITERS:
        raise UnsupportedModel(f"A model of the architecture '{architecture}' does not write text.")
    if not header.tensors:
        raise ModelFileError("It contains no weights.")
    return architecture


def hyperparameters(header: RawHeader, architecture: str, tensors: Sequence[TensorInfo]) -> Hyperparameters:
    """The hyperparameters, checked against each other and the tensors; raises ModelFileError or UnsupportedModel."""
    keys = _Keys(header, architecture)
    layers = keys.required("block_count", _MOST_LAYERS)
    found = Hyperparameters(
        architecture,
        context_length=keys.required("context_length", _LONGEST_CONTEXT),
        embedding_length=keys.required("embedding_length", _LONGEST_CONTEXT),
        block_count=layers,
        heads=(heads := keys.by_layer("attention.head_count", layers)),
        kv_heads=keys.by_layer("attention.head_count_kv", layers) or heads,
    )
    if keys.get("attention.causal", ValueType.BOOL) is False and architecture not in EMBEDDERS:
        raise UnsupportedModel("The model reads in both directions and does not write text.")
    _check_attention(keys, found, tensors)
    _check_experts(keys, layers)
    _check_numbers(keys)
    _check_blocks(layers, tensors)
    return found


def _check_attention(keys: _Keys, found: Hyperparameters, tensors: Sequence[TensorInfo]) -> None:
    """Head counts that do not divide end in an assertion of ggml_mul_mat; an odd rotation in one of ggml_rope."""
    attends = any(".attn_q." in tensor.name or ".attn_qkv." in tensor.name for tensor in tensors)
    if attends and not (any(found.heads) and any(found.kv_heads)):
        raise ModelFileError("It has attention layers, but no attention heads.")
    for heads, kv_heads in zip(found.heads, found.kv_heads, strict=True):
        if heads < 0 or kv_heads < 0 or (kv_heads and heads % kv_heads):
            raise ModelFileError(f"Its {heads:,} attention heads cannot share {kv_heads:,} key and value heads.")
    first = found.heads[0] if found.heads else 0
    if not first:
        return
    key_length = keys.number("attention.key_length", found.embedding_length // first)
    value_length = keys.number("attention.value_length", found.embedding_length // first)
    if keys.get("attention.key_length", ValueType.UINT32) is None and found.embedding_length % first:
        raise ModelFileError(f"Its width of {found.embedding_length:,} cannot be divided among {first:,} heads.")
    if key_length < 1 or value_length < 1:
        raise ModelFileError("Its attention heads have no width.")
    if found.architecture in _EQUAL_HEADS and key_length != value_length:
        raise ModelFileError(f"Its keys are {key_length:,} wide, its values {value_length:,}; they must agree.")
    rotated = keys.number("rope.dimension_count", key_length)
    whole = found.architecture in _WHOLE_ROTATION
    if rotated % 2 or rotated > max(key_length, found.embedding_length) or (whole and rotated != key_length):
        raise ModelFileError(f"Its rotary embedding of {rotated:,} dimensions does not fit heads {key_length:,} wide.")
    if whole:
        _check_projections(found, key_length, tensors)


def _check_projections(found: Hyperparameters, key_length: int, tensors: Sequence[TensorInfo]) -> None:
    """The engine compares shapes with the first layer's head counts alone, then builds with each layer's own."""
    rows = {tensor.name: tensor.shape[1] for tensor in tensors if ".attn_" in tensor.name and len(tensor.shape) == 2}
    for layer, (heads, kv_heads) in enumerate(zip(found.heads, found.kv_heads, strict=True)):
        for letter, count in (("q", heads), ("k", kv_heads), ("v", kv_heads)):
            name = f"blk.{layer}.attn_{letter}.weight"
            if rows.get(name, count * key_length) != count * key_length:
                raise ModelFileError(f"The tensor '{name}' does not fit {count:,} heads {key_length:,} wide.")


def _check_experts(keys: _Keys, layers: int) -> None:
    """The assertions of llama_model_base::load_hparams on mixtures of experts."""
    experts = keys.number("expert_count")
    used = max(keys.by_layer("expert_used_count", layers), default=0)
    groups, groups_used = keys.number("expert_group_count"), keys.number("expert_group_used_count")
    if experts > _MOST_EXPERTS or used > experts or (experts and used < 1):
        raise ModelFileError(f"It cannot use {used:,} of {experts:,} experts.")
    if groups and (groups >= experts or experts % groups or (groups > 1 and not 0 < groups_used < groups)):
        raise ModelFileError(f"Its {experts:,} experts cannot form {groups:,} groups, {groups_used:,} of them used.")
    if keys.number("nextn_predict_layers") > layers:
        raise ModelFileError("It has more prediction layers than layers.")


def _check_numbers(keys: _Keys) -> None:
    """Norms assert that epsilon is not negative; a base of the rotation that is no number makes every answer noise."""
    for key in ("layer_norm_rms_epsilon", "layer_norm_epsilon", "group_norm_epsilon"):
        epsilon = keys.get(f"attention.{key}", ValueType.FLOAT32)
        if epsilon is not None and not 0 <= float(epsilon) < math.inf:
            raise ModelFileError(f"Its {key.replace('_', ' ')} is {epsilon}.")
    base = keys.get("rope.freq_base", ValueType.FLOAT32)
    if base is not None and not 0 < float(base) < math.inf:
        raise ModelFileError(f"The base frequency of its rotary embedding is {base}.")
    scaling = keys.get("rope.scaling.type", ValueType.STRING)
    if scaling is not None and scaling not in _ROPE_SCALINGS:
        raise UnsupportedModel(f"It scales its rotary embedding by the method '{scaling}', which is not known.")


def _check_blocks(layers: int, tensors: Sequence[TensorInfo]) -> None:
    """Every layer must have tensors, and no tensor may belong to a layer beyond the last."""
    present: set[int] = set()
    for tensor in tensors:
        prefix, _, rest = tensor.name.partition(".")
        number = rest.partition(".")[0]
        if prefix == "blk" and number.isascii() and number.isdigit():
            present.add(int(number))
    if present != set(range(layers)):
        raise ModelFileError(f"It announces {layers:,} layers and contains {len(present):,}.")
