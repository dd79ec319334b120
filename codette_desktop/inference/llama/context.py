"""A context: the model's working memory (KV cache), in which one sequence of tokens lies."""

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from codette_desktop.domain.errors import EngineFailure, ModelLoadFailed
from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.library import default_threads, library
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.vocabulary import Tokens

Logits = npt.NDArray[np.float32]

# Tokens of a prompt per decode. A GPU does not hear an abort, so the chunk must be short; a CPU hears it between two
# operations, so the largest operation must be. Sizes follow from the model's shape alone, never from measured time:
# another size rounds differently, and equal seeds must give equal answers.
MAX_CHUNK, MIN_CHUNK = 512, 32
_OPERATION_FLOPS_PER_THREAD = 0.5e9  # 25 ms at 20 GFLOP/s
_OPERATION_SHARE = 0.3  # of a layer's weights, in its largest matrix
_FLASH_ATTENTION_AUTO = -1
_ABORTED, _NO_ROOM = 2, 1
_SEQUENCE = 0


class Context:
    """One sequence on one model; single-threaded, except for `abort`.

    `length` is in tokens. `tokens` are those whose keys and values are in memory. After every call, failed or not, they
    agree with the engine.
    """

    def __init__(self, model: Model, settings: EngineSettings, length: int) -> None:
        engine = library()
        self._c = engine.c
        self.model = model
        self.length = length
        self.threads = settings.threads or default_threads()
        self.tokens: list[int] = []
        self._flag = ctypes.create_string_buffer(8)
        self._batch_size = max(1, min(settings.batch_tokens, self.length))
        self.chunk = min(self._batch_size, MAX_CHUNK if engine.gpu else _interruptible_chunk(model, self.threads))
        _refuse_if_too_large(model, length, settings)
        model.acquire()
        engine.messages.clear()
        self.handle: Any = self._c.llama_init_from_model(model.handle, self._params(engine.gpu is not None))
        if not self.handle:
            model.release()
            raise ModelLoadFailed(
                f"There is not enough memory for a context of {self.length:,} tokens. {engine.last_messages}".strip(),
                "Choose a shorter context or a smaller model.",
            )
        self._memory: Any = self._c.llama_get_memory(self.handle)
        self._c.llama_set_abort_callback(self.handle, engine.abort_callback, ctypes.cast(self._flag, ctypes.c_void_p))
        self._prepare_batch()

    def _params(self, gpu: bool) -> Any:
        params = self._c.llama_context_default_params()
        params.n_ctx = self.length
        params.n_batch = self._batch_size
        params.n_ubatch = self.chunk
        params.n_seq_max = params.n_outputs_max = 1  # logits of one token: for 150,000 tokens of vocabulary 300 MB less
        params.n_threads = params.n_threads_batch = self.threads
        params.flash_attn_type = _FLASH_ATTENTION_AUTO
        params.offload_kqv = params.op_offload = gpu
        params.no_perf = True
        return params

    def _prepare_batch(self) -> None:
        """Point the fields of one `llama_batch` at arrays that are filled in place: no allocation per token."""
        size, c = self.chunk, self._c
        self._token, self._position = np.zeros(size, np.int32), np.zeros(size, np.int32)
        self._wanted = np.zeros(size, np.int8)
        self._counts = np.ones(size, np.int32)
        self._sequence_id = ctypes.c_int32(_SEQUENCE)
        self._sequence_ids = np.full(size, ctypes.addressof(self._sequence_id), np.uintp)
        pointers = ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))
        self._sequences = ctypes.cast(self._sequence_ids.ctypes.data, pointers)
        int32, int8 = ctypes.POINTER(ctypes.c_int32), ctypes.POINTER(ctypes.c_int8)
        self._batch = c.llama_batch(
            0,
            self._token.ctypes.data_as(int32),
            None,
            self._position.ctypes.data_as(int32),
            self._counts.ctypes.data_as(int32),
            self._sequences,
            self._wanted.ctypes.data_as(int8),
        )
        # Answers are written token by token, with the caches of the processor full of weights: every object touched
        # costs. So there is a second batch of one token, in which only token and position change.
        self._decode = c.llama_decode
        self._next_token, self._next_position = (ctypes.c_int32 * 1)(), (ctypes.c_int32 * 1)()
        self._next_wanted, self._next_count = (ctypes.c_int8 * 1)(1), (ctypes.c_int32 * 1)(1)
        self._next_batch = c.llama_batch(
            1, self._next_token, None, self._next_position, self._next_count, self._sequences, self._next_wanted
        )
        # The binding's own function makes a pointer object each time; an address can be compared with the last one.
        self._logits_address: Any = c._lib["llama_get_logits_ith"]
        self._logits_address.argtypes, self._logits_address.restype = [ctypes.c_void_p, ctypes.c_int32], ctypes.c_void_p
        self._view_address = 0
        self._view: Logits = np.empty(0, np.float32)

    @property
    def resident_bytes(self) -> int:
        """Weights and KV cache, in bytes."""
        return self.model.weights_bytes + self.model.kv_bytes(self.length)

    def keep_prefix(self, prompt: Tokens) -> int:
        """Forget everything after the longest common prefix with `prompt`; returns its length.

        At least one token of the prompt is left to decode, since logits are not kept.
        """
        known = np.fromiter(self.tokens, np.int32, len(self.tokens))
        overlap = min(len(known), len(prompt) - 1)
        differs = np.flatnonzero(known[:overlap] != prompt[:overlap])
        common = int(differs[0]) if len(differs) else overlap
        if common < len(self.tokens) and not self._c.llama_memory_seq_rm(self._memory, _SEQUENCE, common, -1):
            # Recurrent models cannot go back to an earlier token.
            self._c.llama_memory_seq_rm(self._memory, _SEQUENCE, -1, -1)
            common = 0
        del self.tokens[common:]
        return common

    def decode(self, chunk: Tokens) -> bool:
        """Decode at most `self.chunk` prompt tokens, with logits for the last. False when it was aborted."""
        count, past = len(chunk), len(self.tokens)
        self._token[:count] = chunk
        self._position[:count] = np.arange(past, past + count, dtype=np.int32)
        self._wanted[:count] = 0
        self._wanted[count - 1] = 1
        self._batch.n_tokens = count
        status = self._c.llama_decode(self.handle, self._batch)
        if status == 0:
            self.tokens.extend(chunk.tolist())
            return True
        return self._after_failure(status)

    def decode_one(self, token: int) -> bool:
        """Decode one token. The logits are there when `logits` or a sampler asks for them. False when aborted."""
        tokens = self.tokens
        self._next_token[0] = token
        self._next_position[0] = len(tokens)
        status = self._decode(self.handle, self._next_batch)
        if status == 0:
            tokens.append(token)
            return True
        return self._after_failure(status)

    def logits(self) -> Logits:
        """The logits after the last token decoded: a view of shape (vocabulary,), valid until the next decode."""
        address = self._logits_address(self.handle, -1)
        if address != self._view_address:
            if not address:
                raise EngineFailure("The engine gave no result.", library().last_messages)
            array = (ctypes.c_float * self.model.vocabulary.size).from_address(address)
            self._view_address, self._view = address, np.ctypeslib.as_array(array)
        return self._view

    def abort(self) -> None:
        """Make a running decode stop at its next operation, and every later one at once. From any thread."""
        self._flag[0] = b"\x01"

    def resume(self) -> None:
        """Allow decoding again after `abort`."""
        self._flag[0] = b"\x00"

    def _after_failure(self, status: int) -> bool:
        """Bring `tokens` in line with what the engine kept."""
        kept = self._c.llama_memory_seq_pos_max(self._memory, _SEQUENCE) + 1
        if kept > len(self.tokens):
            self._c.llama_memory_seq_rm(self._memory, _SEQUENCE, len(self.tokens), -1)
            kept = self._c.llama_memory_seq_pos_max(self._memory, _SEQUENCE) + 1
        if kept != len(self.tokens):
            self.clear()
        if status == _ABORTED:
            return False
        self.clear()
        reason = "the context is full" if status == _NO_ROOM else f"code {status}. {library().last_messages}"
        raise EngineFailure(f"The engine failed while it was answering: {reason}")

    def clear(self) -> None:
        """Forget every token."""
        self._c.llama_memory_clear(self._memory, True)
        self.tokens.clear()

    def close(self) -> None:
        """Free the context. May be called twice."""
        if self.handle:
            self._c.llama_free(self.handle)
            self.handle = None
            self.model.release()


def _refuse_if_too_large(model: Model, length: int, settings: EngineSettings) -> None:
    """Say no before the system does: it promises memory it has not got, and kills whoever uses it."""
    needed, free = model.kv_bytes(length), psutil.virtual_memory().available
    if needed > free and not (library().gpu and settings.gpu_layers):
        raise ModelLoadFailed(
            f"A context of {length:,} tokens needs {needed / 1e9:,.1f} GB of memory; {free / 1e9:,.1f} GB are free.",
            "Choose a shorter context or a smaller model.",
        )


def _interruptible_chunk(model: Model, threads: int) -> int:
    """The largest power of two of tokens whose largest operation takes about 25 ms."""
    embedding = model.vocabulary.size * model.width
    weights = max(model.parameters - embedding, model.parameters / 10) / max(1, model.layers) * _OPERATION_SHARE
    most = _OPERATION_FLOPS_PER_THREAD * threads / (2 * weights)
    return max(MIN_CHUNK, min(MAX_CHUNK, 1 << int(most).bit_length() - 1 if most >= 1 else 1))
