"""What a context keeps for its tokens: keys and values of the attention layers, states of the recurrent ones.

Sources: llama_kv_cache and llama_memory_recurrent of llama.cpp 0c1e57098, llama_hparams::n_embd_r and n_embd_s.
"""

from collections.abc import Callable

from codette_desktop.domain.errors import ModelLoadFailed
from codette_desktop.domain.models import EngineSettings, FlashAttention, KvType
from codette_desktop.models.gguf import GgufHeader

# Bytes of a block of 32 values.
_BLOCK, _BLOCK_BYTES = 32, {KvType.F16: 64, KvType.Q8_0: 34, KvType.Q4_0: 18}
_STEP = 256  # the engine rounds the cells of a context up to a multiple
_STATE_BYTES = 4  # states are kept in 32 bits whatever the type of keys and values
_RECURRENT = ("ssm_", "shortconv", "time_mix_")
_KEYS = ("attn_k.", "attn_kv_", "attn_k_")
_GEMMA3N_LAYERS_WITH_KEYS = 20  # fixed in the engine; the file does not say it


def padded_cells(cells: int) -> int:
    """The tokens for which the engine really makes room."""
    return -(-max(1, cells) // _STEP) * _STEP


def kv_bytes_by_layer(header: GgufHeader, cells: int, kv_type: KvType = KvType.F16) -> tuple[int, ...]:
    """Bytes of keys and values of each layer for `cells` tokens of all sequences together.

    Grouped heads count as the header gives them; layers that share the cache of an earlier one, and recurrent layers,
    keep nothing, and latent attention keeps no values. A sliding window makes no difference, for the engine is asked
    to keep all tokens, so that a conversation can be taken up at any place. An upper bound where layers with a window
    have narrower heads; what sparse attention keeps besides, to find its tokens, is not counted.
    """
    latent = number(header, "attention.key_length_mla") and number(header, "attention.value_length_mla")
    width = header.head_size("key") + (0 if latent else header.head_size("value"))
    own = _layers_with_keys(header)
    by_layer = (heads if own(layer) else 0 for layer, heads in enumerate(header.kv_heads))
    tokens = padded_cells(cells)
    return tuple(tokens * -(-heads * width // _BLOCK) * _BLOCK_BYTES[kv_type] for heads in by_layer)


def refuse_kv_type(header: GgufHeader, settings: EngineSettings) -> None:
    """Raise ModelLoadFailed where the engine cannot keep keys and values of this model in that type, and say why.

    Source: llama_init_from_model of llama.cpp 0c1e57098.
    """
    kind = settings.kv_type
    if kind is KvType.F16 or not any(header.kv_heads):
        return
    if settings.flash_attention is FlashAttention.OFF:
        raise ModelLoadFailed(
            f"A context with {kind} keys and values needs flash attention, which is switched off.",
            "Set flash attention to automatic, or the precision of the context to f16.",
        )
    for what in ("key", "value"):
        if (width := header.head_size(what)) % _BLOCK:
            raise ModelLoadFailed(
                f"A context with {kind} keys and values was refused: {kind} packs {_BLOCK} numbers together, and the"
                f" {what} of an attention head of this model has {width}.",
                "Set the precision of the context to f16.",
            )


def state_bytes_by_layer(header: GgufHeader, sequences: int) -> tuple[int, ...]:
    """Bytes that each recurrent layer keeps, whatever the length of the context; 0 for attention layers.

    Covers what the header says of state space models, short convolutions and RWKV; other recurrent kinds count as 0.
    """
    recurrent = {layer for layer, names in _names_by_layer(header).items() if any(map(_is_recurrent, names))}
    each = max(1, sequences) * _state_values(header) * _STATE_BYTES
    return tuple(each if layer in recurrent else 0 for layer in range(header.block_count))


def _layers_with_keys(header: GgufHeader) -> Callable[[int], bool]:
    """Which layers have a cache of their own; one of which the tensors do not tell counts as having one."""
    shared = number(header, "attention.shared_kv_layers")
    first_shared = header.block_count - shared
    if header.architecture == "gemma3n":
        first_shared = min(first_shared, _GEMMA3N_LAYERS_WITH_KEYS)
    names = _names_by_layer(header)

    def has_keys(layer: int) -> bool:
        own = names.get(layer, set())
        attends = any(name.startswith(_KEYS) for name in own)
        return layer < first_shared and (attends or not any(map(_is_recurrent, own)))

    return has_keys


def _state_values(header: GgufHeader) -> int:
    """Numbers of one layer's state for one sequence."""
    if head := number(header, "wkv.head_size"):
        return (number(header, "token_shift_count", 2) + head) * header.embedding_length
    if cache := number(header, "shortconv.l_cache"):
        return header.embedding_length * (cache - 1)
    inner, state = number(header, "ssm.inner_size"), number(header, "ssm.state_size")
    convolution = max(0, number(header, "ssm.conv_kernel") - 1)
    return convolution * (inner + 2 * number(header, "ssm.group_count") * state) + state * inner


def _names_by_layer(header: GgufHeader) -> dict[int, set[str]]:
    """The tensors' names without their layer: {0: {"attn_q.weight", ...}, ...}."""
    found: dict[int, set[str]] = {}
    for tensor in header.tensors:
        if (layer := layer_of(tensor.name)) is not None:
            found.setdefault(layer, set()).add(tensor.name.split(".", 2)[2])
    return found


def layer_of(name: str) -> int | None:
    """The layer a tensor belongs to; None for those before and after the layers."""
    prefix, _, rest = name.partition(".")
    digits, _, tail = rest.partition(".")
    return int(digits) if prefix == "blk" and tail and digits.isascii() and digits.isdigit() else None


def number(header: GgufHeader, key: str, default: int = 0) -> int:
    """A whole number of the header under the architecture's prefix."""
    value = header.metadata.get(f"{header.architecture}.{key}")
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _is_recurrent(name: str) -> bool:
    return name.startswith(_RECURRENT)
