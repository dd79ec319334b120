"""Texts as vectors: a context of its own that reads whole texts and pools what the model computes of their tokens.

Encoders (BERT and its kin) are made for it; decoders say how they pool where they were trained for it. Any other chat
model has the mean of its last layer, which is of some use, and `pooled` says "mean".
"""

import ctypes
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import numpy.typing as npt

from codette_desktop.domain.errors import Cancelled, EngineFailure, InvalidRequest, ModelLoadFailed, UnsupportedModel
from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.llama.library import default_threads, library
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.vocabulary import Tokens
from codette_desktop.models.gguf import GgufHeader

Vectors = npt.NDArray[np.float32]

_POOLINGS = {1: "mean", 2: "cls", 3: "last"}
_MEAN, _RANK = 1, 4
_TEXTS_TOGETHER = 16
_USUAL_TOKENS = 512
_STEP = 256  # the engine rounds up to multiples of it and of the texts together, and asserts that all agree
_ABORTED = 2


class Embedder:
    """One model for embeddings. All but `tokenise` and `abort` on the decoder's thread, or when it has no work here."""

    def __init__(self, info: ModelInfo, model: Model, header: GgufHeader, settings: EngineSettings) -> None:
        """`model` is acquired until `close`. Raises UnsupportedModel."""
        pooling = header.metadata.get(f"{header.architecture}.pooling_type") or _MEAN
        if pooling == _RANK:
            raise UnsupportedModel(f"{info.label} ranks texts and gives no embeddings.")
        if pooling not in _POOLINGS:
            raise UnsupportedModel(f"{info.label} pools embeddings in a way that is not known ({pooling}).")
        self.info = info
        self.pooling = _POOLINGS[int(pooling)]
        self.length = min(settings.context_length or header.context_length, header.context_length)
        self._code, self._settings = int(pooling), settings
        self._model = model
        self._engine = library()
        self._c = self._engine.c
        self._flag = ctypes.create_string_buffer(8)
        self._handle: Any = None
        self._room = 0
        self._closed = False
        self._width: int = self._c.llama_model_n_embd_out(model.handle)
        model.acquire()

    def tokenise(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text, with those the model wants around it. Any thread.

        Raises InvalidRequest for a text that is empty or longer than the context.
        """
        found = [self._model.vocabulary.tokenise(text, special=False, whole=True) for text in texts]
        for number, (text, tokens) in enumerate(zip(texts, found, strict=True), start=1):
            if not text.strip() or not len(tokens):
                raise InvalidRequest(f"Text {number} of {len(texts)} is empty: it has no meaning to embed.")
            if len(tokens) > self.length:
                raise InvalidRequest(
                    f"Text {number} of {len(texts)} has {len(tokens):,} tokens. {self.info.label} reads {self.length:,}"
                    " at most.",
                    "Divide it into shorter ones.",
                )
        return found

    def embed(self, texts: Sequence[Tokens]) -> Vectors | None:
        """Vectors of unit length, shape (texts, width); None where it was aborted. Raises EngineFailure."""
        self._make_context(max(_USUAL_TOKENS, sum(map(len, texts))))
        self._flag[0] = b"\x00"
        if memory := self._c.llama_get_memory(self._handle):
            self._c.llama_memory_clear(memory, True)
        status = self._decode(texts)
        if status == _ABORTED:
            return None
        if status:
            raise EngineFailure(f"The texts could not be embedded: code {status}. {self._engine.last_messages}".strip())
        found = np.stack([self._vector(number) for number in range(len(texts))])
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise EngineFailure(f"{self.info.label} gave an embedding that is no direction.", retryable=False)
        return found / lengths

    def abort(self) -> None:
        """Make `embed` stop at its next operation. Any thread."""
        self._flag[0] = b"\x01"

    def close(self) -> None:
        """Free the context, and let go of the model. May be called twice."""
        if not self._closed:
            self._closed = True
            self._free()
            self._model.release()

    def _make_context(self, tokens: int) -> None:
        """One that takes so many tokens at once: pooling needs a whole text in one computation."""
        if self._room >= tokens:
            return
        tokens = -(-tokens // _STEP) * _STEP
        self._free()
        params = self._c.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = params.n_outputs_max = tokens
        params.n_seq_max = _TEXTS_TOGETHER
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = self._settings.threads or default_threads()
        params.embeddings, params.pooling_type = True, self._code
        params.offload_kqv = params.op_offload = self._engine.gpu is not None
        params.no_perf = True
        self._engine.messages.clear()
        self._handle = self._c.llama_init_from_model(self._model.handle, params)
        if not self._handle:
            raise ModelLoadFailed(
                f"There is not enough memory to embed {tokens:,} tokens at once. {self._engine.last_messages}".strip(),
                "Embed shorter texts, or choose a smaller model.",
            )
        data = ctypes.cast(self._flag, ctypes.c_void_p)
        self._c.llama_set_abort_callback(self._handle, self._engine.abort_callback, data)
        self._room = tokens

    def _decode(self, texts: Sequence[Tokens]) -> int:
        tokens = np.concatenate(texts).astype(np.int32)
        positions = np.concatenate([np.arange(len(text), dtype=np.int32) for text in texts])
        numbers = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) for text in texts])
        places = (numbers.ctypes.data + numbers.itemsize * np.arange(len(numbers))).astype(np.uintp)
        counts, wanted = np.ones(len(tokens), np.int32), np.ones(len(tokens), np.int8)
        int32, int8 = ctypes.POINTER(ctypes.c_int32), ctypes.POINTER(ctypes.c_int8)
        batch = self._c.llama_batch(
            len(tokens),
            tokens.ctypes.data_as(int32),
            None,
            positions.ctypes.data_as(int32),
            counts.ctypes.data_as(int32),
            ctypes.cast(places.ctypes.data, ctypes.POINTER(int32)),
            wanted.ctypes.data_as(int8),
        )
        return self._c.llama_decode(self._handle, batch)

    def _vector(self, number: int) -> Vectors:
        pointer = self._c.llama_get_embeddings_seq(self._handle, number)
        if not pointer:
            raise UnsupportedModel(f"{self.info.label} gives no embeddings.")
        return np.ctypeslib.as_array(pointer, (self._width,)).astype(np.float32)

    def _free(self) -> None:
        if self._handle:
            self._c.llama_free(self._handle)
        self._handle, self._room = None, 0


class EmbeddingRun:
    """The texts of one request, some of them in each step of the decoder. When `ended` is done `vectors` tells."""

    def __init__(self, embedder: Embedder, texts: Sequence[Tokens]) -> None:
        self.ended: Future[None] = Future()
        self.error: Exception | None = None
        self.embedder = embedder
        self.tokens = sum(map(len, texts))
        self._texts = list(texts)
        self._found: list[Vectors] = []
        self._cancelled = self._computing = False
        self._lock = threading.Lock()  # guards the two above, and that it ends once

    def vectors(self) -> list[list[float]]:
        """One for each text. Raises what it failed of."""
        if self.error is not None:
            raise self.error
        return np.concatenate(self._found).tolist()

    @property
    def busy(self) -> bool:
        """Whether there is something left to do."""
        return not self.ended.done()

    def step(self) -> None:
        """Embed as many of the texts as are usual at once."""
        with self._lock:
            if self.ended.done():
                return
            self._computing = True
        try:
            count = self._next_count()
            found = self.embedder.embed(self._texts[:count])
            if found is not None:  # else it was stopped, perhaps for another's sake: once more
                self._found.append(found)
                del self._texts[:count]
            if not self._texts:
                self.ended.set_result(None)
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            self.fail_all(error)
        finally:
            with self._lock:
                self._computing = False
                if self._cancelled:
                    self.cancel_all()

    def cancel(self) -> None:
        """Have it end: now, or when the operation that runs has ended. Any thread."""
        with self._lock:
            self._cancelled = True
            if self._computing:
                self.embedder.abort()
                return
            self.cancel_all()

    def abort(self) -> None:
        """Make the step in progress return. Any thread."""
        self.embedder.abort()

    def fail_all(self, error: Exception) -> None:
        """End it with `error`."""
        if not self.ended.done():
            self.error = error
            self.ended.set_result(None)

    def cancel_all(self) -> None:
        """End it as cancelled."""
        self.fail_all(Cancelled("It was cancelled."))

    def _next_count(self) -> int:
        count, tokens = 1, len(self._texts[0])
        for text in self._texts[1:_TEXTS_TOGETHER]:
            tokens += len(text)
            if tokens > _USUAL_TOKENS:
                break
            count += 1
        return count
