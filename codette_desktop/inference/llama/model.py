"""A model in memory: loading it, with progress and cancel, and freeing it when nobody uses it any more."""

import ctypes
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codette_desktop.domain.errors import Cancelled, ModelLoadFailed, UnsupportedModel
from codette_desktop.domain.models import EngineSettings, KvType
from codette_desktop.inference.llama.library import Library, library
from codette_desktop.inference.llama.vocabulary import Vocabulary
from codette_desktop.models.gguf import GgufHeader, read_header
from codette_desktop.models.kv_cache import kv_bytes_by_layer

log = logging.getLogger(__name__)

_MAPPED, _LOCKED = 1, 2  # LLAMA_LOAD_MODE_MMAP and _MLOCK; 3 is both


class Model:
    """Weights and vocabulary, or the vocabulary alone. Freed by `close` once all who `acquire`d it have released it."""

    def __init__(self, handle: Any, path: Path, header: GgufHeader | None = None) -> None:
        self._c = library().c
        self.handle = handle
        self.path = path
        self._header = header
        self.vocabulary = Vocabulary(handle)
        self.weights_bytes: int = self._c.llama_model_size(handle)
        self.parameters: int = self._c.llama_model_n_params(handle)
        self.layers: int = self._c.llama_model_n_layer(handle)
        self.width: int = self._c.llama_model_n_embd(handle)
        self._lock = threading.Lock()
        self._users = 0
        self._closed = False

    @classmethod
    def load(
        cls,
        path: Path,
        settings: EngineSettings,
        *,
        header: GgufHeader | None = None,
        vocabulary_only: bool = False,
        any_kind: bool = False,
        on_progress: Callable[[float], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> "Model":
        """Load the file; takes as long as reading it. `on_progress` gets 0 to 1 in this thread.

        `header` is the file's, where the caller has read it already.

        Raises Cancelled when `cancelled` became true, ModelLoadFailed with the engine's reason, UnsupportedModel for a
        model that does not write text, unless `any_kind` will do.
        """
        engine = library()
        engine.spread_over_processors(settings.numa)
        params, keep = _params(engine, settings, vocabulary_only, on_progress, cancelled)
        engine.messages.clear()
        handle = engine.c.llama_model_load_from_file(str(path).encode("utf-8", "surrogateescape"), params)
        del keep  # the callback had to live until here
        if not handle:
            if cancelled():
                raise Cancelled(f"Loading {path.name} was cancelled.")
            raise _refusal(path, engine.last_messages)
        if settings.lock_memory and (refused := [text for text in engine.messages if "mlock" in text]):
            log.info("the system does not lock the memory of %s: %s", path.name, " ".join(refused).strip())
        model = cls(handle, path, header)
        if not vocabulary_only and not any_kind:
            model.refuse_unless_it_writes()
        return model

    def kv_bytes(self, context_length: int, kv_type: KvType = KvType.F16) -> int:
        """Bytes of the KV cache of that many tokens: see `kv_bytes_by_layer`.

        What recurrent layers keep besides, whatever the length, is not counted. Raises ModelError where the header was
        not given and cannot be read.
        """
        return sum(kv_bytes_by_layer(self.header, context_length, kv_type))

    @property
    def header(self) -> GgufHeader:
        """The file's header. Raises ModelError where it was not given and cannot be read."""
        if self._header is None:
            self._header = read_header(self.path)
        return self._header

    def refuse_unless_it_writes(self) -> None:
        """Raise UnsupportedModel for encoders (embeddings, translation), and free the model."""
        embeds_only = self._header is not None and not self._header.writes
        encodes = self._c.llama_model_has_encoder(self.handle) or not self._c.llama_model_has_decoder(self.handle)
        if embeds_only or encodes:
            self.close()
            raise UnsupportedModel(f"{self.path.name} does not write text: it is an encoder.")

    def acquire(self) -> None:
        """Keep the model in memory until `release`. Raises RuntimeError when it has been closed."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the model is closed")
            self._users += 1

    def release(self) -> None:
        """The inverse of `acquire`; the last one frees a closed model."""
        with self._lock:
            self._users -= 1
            last = self._closed and self._users == 0
        if last:
            self._c.llama_model_free(self.handle)

    def close(self) -> None:
        """Free the model now, or when the last user has released it. May be called twice."""
        with self._lock:
            last = not self._closed and self._users == 0
            self._closed = True
        if last:
            self._c.llama_model_free(self.handle)


def _params(
    engine: Library,
    settings: EngineSettings,
    vocabulary_only: bool,
    on_progress: Callable[[float], None] | None,
    cancelled: Callable[[], bool],
) -> tuple[Any, list[Any]]:
    params = engine.c.llama_model_default_params()
    params.vocab_only = vocabulary_only
    params.use_extra_bufts = engine.extra_buffers
    params.load_mode = (_MAPPED if settings.use_mmap else 0) | (_LOCKED if settings.lock_memory else 0)
    params.n_gpu_layers = settings.gpu_layers if engine.gpu else 0

    def progressed(progress: float, _data: object) -> bool:
        if on_progress is not None:
            on_progress(progress)
        return not cancelled()

    callback = engine.c.llama_progress_callback(progressed)
    params.progress_callback = callback
    params.progress_callback_user_data = ctypes.c_void_p(0)
    return params, [callback]


def _refusal(path: Path, reason: str) -> ModelLoadFailed | UnsupportedModel:
    text = reason.lower()
    if "unknown model architecture" in text or "unknown pre-tokenizer" in text or "unsupported model" in text:
        return UnsupportedModel(f"{path.name} cannot be run by this engine: {reason}")
    if "unable to allocate" in text or "failed to allocate" in text or "out of memory" in text:
        return ModelLoadFailed(
            f"{path.name} does not fit into memory.", "Close other programs, or choose a smaller model.", retryable=True
        )
    return ModelLoadFailed(
        f"The engine refused {path.name}: {reason or 'it gave no reason'}",
        "Download the file again, or choose another model.",
    )
