"""What decides an answer here besides the request."""

import functools
import hashlib
from dataclasses import asdict

from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.llama.library import default_threads, library
from codette_desktop.inference.llama.residents import context_length
from codette_desktop.inference.provider import ModelIdentity

_CHANGES_NOTHING = {"use_mmap"}
_default_threads = functools.cache(default_threads)


def identity_of(info: ModelInfo, settings: EngineSettings) -> ModelIdentity | None:
    """None without the file's hash. Raises EngineFailure where the engine cannot be loaded.

    Sums of rounded numbers depend on how they are split, so threads, batches and layers on a GPU count too. The
    template has a hash of its own since that of a large file does not read all of its header.
    """
    if not info.file_hash:
        return None
    engine = library()
    chosen = {name: value for name, value in asdict(settings).items() if name not in _CHANGES_NOTHING}
    template = hashlib.blake2b((info.chat_template or "").encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    traits = {
        **chosen,
        "provider": "llama.cpp in process",
        "model_hash": info.file_hash,
        "chat_template": template if info.chat_template is not None else None,
        "engine": engine.build,
        "gpu": engine.gpu if settings.gpu_layers else None,
        "context_length": context_length(info, settings),
        "threads": settings.threads or _default_threads(),
    }
    return ModelIdentity(info.name, info.label, traits)
