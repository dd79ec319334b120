"""What decides an answer here besides the request."""

import functools
import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict

from codette_desktop.domain.models import EngineSettings, ModelInfo
from codette_desktop.inference.llama.library import default_threads, library
from codette_desktop.inference.llama.lora import AdapterSet, adapter_set
from codette_desktop.inference.llama.vocabularies import FileState, file_state
from codette_desktop.inference.planning import context_length
from codette_desktop.inference.provider import ModelIdentity

FOUND_FOR_S = 2.0

_CHANGES_NOTHING = {"use_mmap", "lock_memory", "numa", "keep_alive_minutes"}
_MOST_NAMES = 64
_default_threads = functools.cache(default_threads)


def identity_of(info: ModelInfo, settings: EngineSettings) -> ModelIdentity | None:
    """None without the hashes of the file and of the adapters. Raises EngineFailure where there is no engine.

    Sums of rounded numbers depend on how they are split, so threads, batches and layers on a GPU count too, and the
    order of adapters. The template has a hash of its own since that of a large file does not read all of its header.
    """
    if not all((info.file_hash, *(adapter.file_hash for adapter in info.adapters))):
        return None
    engine = library()
    chosen = {name: value for name, value in asdict(settings).items() if name not in _CHANGES_NOTHING}
    template = hashlib.blake2b((info.chat_template or "").encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    traits = {
        **chosen,
        "provider": "llama.cpp in process",
        "model_hash": info.file_hash,
        "adapters": [[adapter.file_hash, adapter.scale] for adapter in info.adapters],
        "chat_template": template if info.chat_template is not None else None,
        "engine": engine.build,
        "gpu": engine.gpu if settings.gpu_layers else None,
        "context_length": context_length(info, settings),
        "threads": settings.threads or _default_threads(),
    }
    return ModelIdentity(info.name, info.label, traits)


_States = tuple[FileState, AdapterSet]


def _states(info: ModelInfo) -> _States:
    return file_state(info), adapter_set(info)


class Identities:
    """The identities of models by name. Any thread.

    Looking a name up reads folders, which takes most of the time of a cached answer: for two seconds a name is taken to
    mean the same file. Whether that file or the settings have changed is seen each time.
    """

    def __init__(self, find: Callable[[str], ModelInfo], settings: Callable[[ModelInfo], EngineSettings]) -> None:
        self._find = find
        self._settings = settings
        self._found: dict[str, tuple[float, _States, ModelInfo]] = {}

    def of(self, name: str) -> ModelIdentity | None:
        """See `CacheableProvider.identity`."""
        info = self._info(name)
        return identity_of(info, self._settings(info))

    def _info(self, name: str) -> ModelInfo:
        at, states, info = self._found.get(name, (0.0, None, None))
        now = time.monotonic()
        if info is not None and now - at < FOUND_FOR_S and _states(info) == states:
            return info
        info = self._find(name)
        if len(self._found) >= _MOST_NAMES:
            self._found = {}
        self._found[name] = (now, _states(info), info)
        return info
