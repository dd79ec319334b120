"""How much memory a model needs before it is loaded: weights, keys and values, and what the computing takes besides."""

from dataclasses import dataclass, replace

from codette_desktop.domain.models import FlashAttention, KvType
from codette_desktop.models.gguf import GgufHeader
from codette_desktop.models.kv_cache import (
    kv_bytes_by_layer,
    layer_of,
    number,
    padded_cells,
    state_bytes_by_layer,
)

_EMBEDDING, _OUTPUT = "token_embd.", "output."
_FLOAT, _HALF = 4, 2
_TOKEN_BYTES = 400  # of the vocabulary, for each token: its text, its place in the tables, its merges
_FIXED_BYTES = 4 << 20  # graphs, thread pool, the arrays of a batch


@dataclass(frozen=True, slots=True)
class LoadShape:
    """What of the settings decides the memory of a load.

    `cells` are tokens of keys and values for all answers together, `sequences` how many answers may be written at once,
    `rows` the most tokens computed in one step. `gpu_layers` counts from the last layer, the output matrix as one more.
    """

    cells: int
    sequences: int = 1
    rows: int = 512
    kv_type: KvType = KvType.F16
    flash_attention: FlashAttention = FlashAttention.AUTO
    gpu_layers: int = 0


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes on one device."""

    weights_bytes: int = 0
    kv_bytes: int = 0
    compute_bytes: int = 0

    @property
    def total(self) -> int:
        """Everything."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes

    @property
    def certain_bytes(self) -> int:
        """What a load cannot do without: the weights, the keys and values."""
        return self.weights_bytes + self.kv_bytes


@dataclass(frozen=True, slots=True)
class ModelNeed:
    """Bytes by device: the computer's own memory, and that of its GPUs together."""

    cpu: MemoryNeed
    gpu: MemoryNeed = MemoryNeed()

    @property
    def total(self) -> int:
        """Everything, wherever it lies."""
        return self.cpu.total + self.gpu.total


def memory_need(header: GgufHeader, shape: LoadShape) -> ModelNeed:
    """What a load of that shape takes.

    Weights are exact (the sizes of the tensors; one more copy of the embedding where it serves as the output matrix on
    a GPU too). Keys and values: see `kv_bytes_by_layer`. Computing is an upper bound measured on llama.cpp 0c1e57098:
    its buffer holds, for each token of a step, the mask of attention (2 bytes for each token of the context; without
    flash attention 4, and 4 more for each head) and a few vectors as wide as the widest layer; then the logits, and the
    vocabulary. Mixtures of experts keep all experts, and compute with those that are used.
    """
    first = first_gpu_layer(header, shape.gpu_layers)
    cpu_weights, gpu_weights = _weights(header, first)
    kv = kv_bytes_by_layer(header, shape.cells, shape.kv_type)
    states = state_bytes_by_layer(header, shape.sequences)
    kept = [a + b for a, b in zip(_padded(kv, header), states, strict=True)]
    compute, always = _compute_bytes(header, shape), header.vocabulary_size * _TOKEN_BYTES + _FIXED_BYTES
    inputs = shape.rows * header.embedding_length * _FLOAT
    on_gpu = first <= header.block_count
    return ModelNeed(
        MemoryNeed(cpu_weights, sum(kept[:first]), always + (inputs if on_gpu and not first else compute)),
        MemoryNeed(gpu_weights, sum(kept[first:]), compute) if on_gpu else MemoryNeed(),
    )


def first_gpu_layer(header: GgufHeader, gpu_layers: int) -> int:
    """The first layer on the GPU; one past the output matrix, which counts as the layer after the last, for none."""
    everything = header.block_count + 1
    return everything - (everything if gpu_layers < 0 else min(gpu_layers, everything))


def most_gpu_layers(header: GgufHeader, shape: LoadShape, free_bytes: int) -> int:
    """The largest number of layers, up to that of `shape` (-1: all), with which the GPU's part is at most that."""
    most = header.block_count + 1
    most = most if shape.gpu_layers < 0 else min(shape.gpu_layers, most)
    low, high = 0, most  # more layers never need less
    while low < high:
        middle = (low + high + 1) // 2
        fits = memory_need(header, replace(shape, gpu_layers=middle)).gpu.total <= free_bytes
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def f16_bytes(header: GgufHeader) -> int:
    """The size of the same weights with every matrix in F16; vectors, which no quantisation touches, as they are."""
    return sum(tensor.elements * _HALF if len(tensor.shape) > 1 else tensor.size_bytes for tensor in header.tensors)


def saved_bytes(header: GgufHeader) -> int:
    """The memory that the quantisation saves against the same weights in F16; below 0 for a file of 32 bits."""
    return f16_bytes(header) - sum(tensor.size_bytes for tensor in header.tensors)


def _weights(header: GgufHeader, first_on_gpu: int) -> tuple[int, int]:
    """Bytes of weights in the computer's memory, and on the GPU. Embeddings of tokens always stay with the CPU."""
    cpu = gpu = embedding = 0
    own_output = False
    for tensor in header.tensors:
        layer = layer_of(tensor.name)
        if tensor.name.startswith(_EMBEDDING):
            embedding = tensor.size_bytes
        own_output = own_output or tensor.name == "output.weight"
        place = header.block_count if layer is None and tensor.name.startswith(("output", "cls")) else layer
        if place is not None and place >= first_on_gpu:
            gpu += tensor.size_bytes
        else:
            cpu += tensor.size_bytes
    if not own_output and first_on_gpu <= header.block_count:
        gpu += embedding
    return cpu, gpu


def _padded(kv: tuple[int, ...], header: GgufHeader) -> tuple[int, ...]:
    return kv or (0,) * header.block_count


def _compute_bytes(header: GgufHeader, shape: LoadShape) -> int:
    """The buffer in which one step is computed, and the logits of every sequence."""
    sequences = max(1, shape.sequences)
    rows = shape.rows + sequences - 1  # the engine rounds up to a multiple of the sequences
    heads = max(header.heads, default=0)
    cells = padded_cells(shape.cells)
    flash = shape.flash_attention is not FlashAttention.OFF or shape.kv_type is not KvType.F16
    masks = 2 if number(header, "attention.sliding_window") else 1
    mask = 0 if not heads else cells * (_HALF * masks if flash else _FLOAT * (masks + heads))
    values = _FLOAT * (4 * _widest(header) + 4 * header.embedding_length)
    rotation = 2 * _FLOAT * header.head_size("key") ** 2 if shape.kv_type is not KvType.F16 and heads else 0
    logits = sequences * header.vocabulary_size * _FLOAT
    return rows * (mask + values) + rotation + 2 * logits


def _widest(header: GgufHeader) -> int:
    """The widest vector of a layer: its attention's queries, keys or values, or inside its feed-forward network."""
    attention = [
        count * header.head_size(kind)
        for counts, kind in ((header.heads, "key"), (header.kv_heads, "key"), (header.kv_heads, "value"))
        if (count := max(counts, default=0))
    ]
    used = number(header, "expert_used_count")
    experts = used * max(number(header, "expert_feed_forward_length"), header.embedding_length) if used else 0
    inner = [
        max(tensor.shape[:2])
        for tensor in header.tensors
        if (layer_of(tensor.name) is not None and len(tensor.shape) == 2)
    ]
    return max([header.embedding_length, experts, *attention, *inner])
