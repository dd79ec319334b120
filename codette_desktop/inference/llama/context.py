"""A context: the model's working memory (KV cache), in which sequences of tokens lie side by side."""

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import psutil

from codette_desktop.domain.errors import EngineFailure, ModelLoadFailed
from codette_desktop.domain.models import EngineSettings, FlashAttention, KvType
from codette_desktop.inference.llama.library import default_threads, library
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.vocabulary import Tokens
from codette_desktop.models.kv_cache import refuse_kv_type

Logits = npt.NDArray[np.float32]

# Tokens of a prompt per decode. A GPU does not hear an abort, so the chunk must be short; a CPU hears it between two
# operations, so the largest operation must be. Sizes follow from the model's shape alone, never from measured time:
# another size rounds differently, and equal seeds must give equal answers.
MAX_CHUNK, MIN_CHUNK = 512, 32
_OPERATION_FLOPS_PER_THREAD = 0.5e9  # 25 ms at 20 GFLOP/s
_OPERATION_SHARE = 0.3  # of a layer's weights, in its largest matrix
_FLASH_ATTENTION = {FlashAttention.AUTO: -1, FlashAttention.OFF: 0, FlashAttention.ON: 1}
_KV_TYPES = {KvType.F16: 1, KvType.Q8_0: 8, KvType.Q4_0: 2}  # GGML_TYPE_*
_ABORTED, _NO_ROOM = 2, 1


class Feed(NamedTuple):
    """Tokens for one sequence; logits are wanted for the last `wanted` of them: one, or none, or several."""

    sequence: int
    tokens: Tokens
    wanted: int = 1


class NoRoom(EngineFailure):
    """The memory of the context is full. Nothing was decoded."""


class Context:
    """Up to `sequences` sequences on one model; single-threaded, except for `abort`.

    Each may be `length` tokens long; together they have `cells` (tokens that sequences share count once). `tokens` are,
    by sequence, those whose keys and values are in memory. After every call, failed or not, they agree with the engine.
    """

    def __init__(
        self, model: Model, settings: EngineSettings, length: int, *, sequences: int = 1, cells: int | None = None
    ) -> None:
        engine = library()
        self._c = engine.c
        self.model, self.settings = model, settings
        self._settings = settings
        self.length = length
        self.cells = max(length, cells or length)
        self.threads = settings.threads or default_threads()
        self.tokens: list[list[int]] = [[] for _ in range(sequences)]
        self._flag = ctypes.create_string_buffer(8)
        self._batch_size = max(1, min(settings.batch_tokens, self.length))
        self.chunk = min(self._batch_size, MAX_CHUNK if engine.gpu else _interruptible_chunk(model, self.threads))
        self._rows = self.chunk + sequences - 1  # one prompt is read while the other sequences write a token each
        refuse_kv_type(model.header, settings)
        _refuse_if_too_large(model, self.cells, settings)
        model.acquire()
        engine.messages.clear()
        self.handle: Any = self._c.llama_init_from_model(model.handle, self._params(engine.gpu is not None))
        if not self.handle:
            model.release()
            raise _no_context(self.length, settings, engine.last_messages)
        self._memory: Any = self._c.llama_get_memory(self.handle)
        self._c.llama_set_abort_callback(self.handle, engine.abort_callback, ctypes.cast(self._flag, ctypes.c_void_p))
        self._prepare_batch()

    def _params(self, gpu: bool) -> Any:
        params = self._c.llama_context_default_params()
        params.n_ctx = self.cells
        params.n_batch = max(self._batch_size, self._rows)
        params.n_ubatch = self._rows
        # Logits of one token a sequence: for 150,000 tokens of vocabulary and 512 rows that is 300 MB less.
        params.n_seq_max = params.n_outputs_max = len(self.tokens)
        params.kv_unified = True  # sequences share cells, so a common prefix is kept once
        params.n_threads = params.n_threads_batch = self.threads
        params.type_k = params.type_v = _KV_TYPES[self._settings.kv_type]
        params.flash_attn_type = _FLASH_ATTENTION[self._settings.flash_attention]
        params.offload_kqv = params.op_offload = gpu
        params.no_perf = True
        return params

    def _prepare_batch(self) -> None:
        """Point the fields of one `llama_batch` at arrays that are filled in place: no allocation per token."""
        size, c = self._rows, self._c
        self._token, self._position = np.zeros(size, np.int32), np.zeros(size, np.int32)
        self._wanted = np.zeros(size, np.int8)
        self._counts = np.ones(size, np.int32)
        self._numbers = np.arange(len(self.tokens), dtype=np.int32)
        self._number_at = self._numbers.ctypes.data  # row r belongs to the sequence whose number _sequence[r] points to
        self._sequence = np.full(size, self._number_at, np.uintp)
        pointers = ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))
        int32, int8 = ctypes.POINTER(ctypes.c_int32), ctypes.POINTER(ctypes.c_int8)
        self._batch = c.llama_batch(
            0,
            self._token.ctypes.data_as(int32),
            None,
            self._position.ctypes.data_as(int32),
            self._counts.ctypes.data_as(int32),
            ctypes.cast(self._sequence.ctypes.data, pointers),
            self._wanted.ctypes.data_as(int8),
        )
        # Answers are written token by token, with the caches of the processor full of weights: every object touched
        # costs. So there is a second batch of one token, in which only token, position and sequence change.
        self._decode = c.llama_decode
        self._next_token, self._next_position = (ctypes.c_int32 * 1)(), (ctypes.c_int32 * 1)()
        self._next_wanted, self._next_count = (ctypes.c_int8 * 1)(1), (ctypes.c_int32 * 1)(1)
        self._next_sequence = (ctypes.c_int32 * 1)()
        self._next_sequences = (ctypes.POINTER(ctypes.c_int32) * 1)(
            ctypes.cast(self._next_sequence, ctypes.POINTER(ctypes.c_int32))
        )
        self._next_batch = c.llama_batch(
            1,
            self._next_token,
            None,
            self._next_position,
            self._next_count,
            self._next_sequences,
            self._next_wanted,
        )
        # The binding's own function makes a pointer object each time; an address can be compared with the last one.
        self._logits_address: Any = c._lib["llama_get_logits_ith"]
        self._logits_address.argtypes, self._logits_address.restype = [ctypes.c_void_p, ctypes.c_int32], ctypes.c_void_p
        self._views: dict[int, Logits] = {}

    @property
    def resident_bytes(self) -> int:
        """Weights and KV cache, in bytes."""
        return self.model.weights_bytes + self.model.kv_bytes(self.cells, self._settings.kv_type)

    # Sequences

    def common(self, sequence: int, prompt: Tokens) -> int:
        """Tokens of the longest common prefix of a sequence and `prompt`, without the prompt's last.

        At least one token of a prompt is always decoded, since logits are not kept.
        """
        known = self.tokens[sequence]
        overlap = min(len(known), len(prompt) - 1)
        differs = np.flatnonzero(np.fromiter(known, np.int32, overlap) != prompt[:overlap])
        return int(differs[0]) if len(differs) else overlap

    def truncate(self, sequence: int, length: int) -> int:
        """Forget the tokens of a sequence after the first `length`; returns how many are left, which may be fewer."""
        known = self.tokens[sequence]
        if length < len(known) and not self._c.llama_memory_seq_rm(self._memory, sequence, length, -1):
            # Recurrent models cannot go back to an earlier token.
            self._c.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            length = 0
        elif 0 < length < len(known) and self._c.llama_memory_seq_pos_min(self._memory, sequence) > 0:
            # A sliding window has moved on and forgotten what the earlier tokens looked back to.
            self._c.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            length = 0
        del known[length:]
        return len(known)

    def copy(self, source: int, target: int, length: int) -> int:
        """Make `target` begin as `source` does, sharing its cells; returns how many tokens it has then."""
        self.truncate(target, 0)
        self._c.llama_memory_seq_cp(self._memory, source, target, 0, length)
        if self._c.llama_memory_seq_pos_max(self._memory, target) + 1 != length:  # recurrent models have only the end
            self._c.llama_memory_seq_rm(self._memory, target, -1, -1)
            length = 0
        self.tokens[target] = self.tokens[source][:length]
        return length

    def save(self, sequence: int, most_bytes: int | None = None) -> bytes:
        """What the memory holds of a sequence; b"" where it cannot be had, or would be longer than `most_bytes`."""
        size = self._c.llama_state_seq_get_size(self.handle, sequence)
        if most_bytes is not None and size > most_bytes:
            return b""
        buffer = (ctypes.c_uint8 * size)()
        written = self._c.llama_state_seq_get_data(self.handle, buffer, size, sequence)
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: int, data: bytes | memoryview, tokens: Sequence[int]) -> bool:
        """The inverse of `save`; False, and the sequence empty, where there is no room for it."""
        self.truncate(sequence, 0)
        buffer = np.frombuffer(data, np.uint8).ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        if not self._c.llama_state_seq_set_data(self.handle, buffer, len(data), sequence):
            self._c.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            return False
        self.tokens[sequence] = list(tokens)
        return True

    # Decoding

    def decode(self, feeds: Sequence[Feed]) -> bool:
        """Decode some tokens of each sequence together: at most `chunk` of one and one of each other.

        Logits can be had of as many tokens as there are sequences.

        False when it was aborted. Raises NoRoom when the cells are used up, EngineFailure.
        """
        row = 0
        for feed in feeds:
            count, past = len(feed.tokens), len(self.tokens[feed.sequence])
            rows = slice(row, row + count)
            self._token[rows] = feed.tokens
            self._position[rows] = np.arange(past, past + count, dtype=np.int32)
            self._sequence[rows] = self._number_at + self._numbers.itemsize * feed.sequence
            self._wanted[rows] = 0
            row += count
            self._wanted[row - feed.wanted : row] = 1
        self._batch.n_tokens = row
        status = self._c.llama_decode(self.handle, self._batch)
        if status == 0:
            for feed in feeds:
                self.tokens[feed.sequence].extend(feed.tokens.tolist())
            return True
        return self._after_failure(status, [feed.sequence for feed in feeds])

    def decode_one(self, sequence: int, token: int) -> bool:
        """Decode one token. The logits are there when `logits` or a sampler asks for them. False when aborted."""
        tokens = self.tokens[sequence]
        self._next_token[0] = token
        self._next_position[0] = len(tokens)
        self._next_sequence[0] = sequence
        status = self._decode(self.handle, self._next_batch)
        if status == 0:
            tokens.append(token)
            return True
        return self._after_failure(status, [sequence])

    def logits(self, row: int = -1) -> Logits:
        """The logits of a row of the last decode (-1: its last): a view, shape (vocabulary,), valid until the next."""
        address = self._logits_address(self.handle, row)
        view = self._views.get(address)
        if view is None:
            if not address:
                raise EngineFailure("The engine gave no result.", library().last_messages)
            array = (ctypes.c_float * self.model.vocabulary.size).from_address(address)
            view = self._views[address] = np.ctypeslib.as_array(array)
        return view

    def abort(self) -> None:
        """Make a running decode stop at its next operation, and every later one at once. From any thread."""
        self._flag[0] = b"\x01"

    def resume(self) -> None:
        """Allow decoding again after `abort`."""
        self._flag[0] = b"\x00"

    def _after_failure(self, status: int, sequences: Sequence[int]) -> bool:
        """Bring `tokens` in line with what the engine kept."""
        for sequence in sequences:
            self._repair(sequence)
        if status == _ABORTED:
            return False
        if status == _NO_ROOM:
            raise NoRoom(f"The context of {self.cells:,} tokens is full.")
        self.clear()
        raise EngineFailure(f"The engine failed while it was answering: code {status}. {library().last_messages}")

    def _repair(self, sequence: int) -> None:
        known = self.tokens[sequence]
        kept = self._c.llama_memory_seq_pos_max(self._memory, sequence) + 1
        if kept > len(known):
            self._c.llama_memory_seq_rm(self._memory, sequence, len(known), -1)
            kept = self._c.llama_memory_seq_pos_max(self._memory, sequence) + 1
        if kept != len(known):
            self._c.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            known.clear()

    def put_adapters(self, adapters: Sequence[Any], scales: Sequence[float]) -> None:
        """Compute with these LoRA adapters (the engine's pointers) from now on; all sequences must be empty."""
        count, kind = len(adapters), self._c.llama_adapter_lora_p_ctypes
        pointers = (kind * count)(*adapters) if count else None
        if self._c.llama_set_adapters_lora(self.handle, pointers, count, (ctypes.c_float * count)(*scales)):
            raise EngineFailure("The engine refused the adapters.", library().last_messages)

    def clear(self) -> None:
        """Forget every token of every sequence."""
        self._c.llama_memory_clear(self._memory, True)
        for tokens in self.tokens:
            tokens.clear()

    def close(self) -> None:
        """Free the context. May be called twice."""
        if self.handle:
            self._c.llama_free(self.handle)
            self.handle = None
            self.model.release()


def _refuse_if_too_large(model: Model, length: int, settings: EngineSettings) -> None:
    """Say no before the system does: it promises memory it has not got, and kills whoever uses it."""
    needed, free = model.kv_bytes(length, settings.kv_type), psutil.virtual_memory().available
    if needed > free and not (library().gpu and settings.gpu_layers):
        raise ModelLoadFailed(
            f"A context of {length:,} tokens needs {needed / 1e9:,.1f} GB of memory; {free / 1e9:,.1f} GB are free.",
            "Choose a shorter context or a smaller model.",
        )


def _no_context(length: int, settings: EngineSettings, reason: str) -> ModelLoadFailed:
    if settings.kv_type is not KvType.F16:
        return ModelLoadFailed(
            f"A context of {length:,} tokens with {settings.kv_type} keys and values was refused. {reason}".strip(),
            "Choose f16 for the precision of the context: not every model can do with fewer bits.",
        )
    return ModelLoadFailed(
        f"There is not enough memory for a context of {length:,} tokens. {reason}".strip(),
        "Choose a shorter context or a smaller model.",
    )


def _interruptible_chunk(model: Model, threads: int) -> int:
    """The largest power of two of tokens whose largest operation takes about 25 ms."""
    embedding = model.vocabulary.size * model.width
    weights = max(model.parameters - embedding, model.parameters / 10) / max(1, model.layers) * _OPERATION_SHARE
    most = _OPERATION_FLOPS_PER_THREAD * threads / (2 * weights)
    return max(MIN_CHUNK, min(MAX_CHUNK, 1 << int(most).bit_length() - 1 if most >= 1 else 1))
