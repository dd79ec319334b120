"""The native library: loaded once, quiet, with the switches it needs set before it starts.

Everything of `llama_cpp` enters the package here; it is untyped, so the other modules see it as `Any` and give their
own functions types.
"""

import atexit
import ctypes
import importlib
import importlib.metadata
import logging
import os
import sys
import threading
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import psutil

from codette_desktop.domain.errors import EngineFailure
from codette_desktop.domain.models import Numa

log = logging.getLogger(__name__)

_LEVEL_WARNING, _LEVEL_ERROR, _LEVEL_CONTINUED = 3, 4, 5
_GPU_TYPES = (1, 2)  # GGML_BACKEND_DEVICE_TYPE_GPU, _IGPU
_NUMA = {Numa.DISTRIBUTE: 1, Numa.ISOLATE: 2}  # GGML_NUMA_STRATEGY_*
_INSTRUCTION_SETS = ("AMX_INT8", "AVX512", "AVX2", "AVX", "SVE", "NEON")


class _Told(threading.local):
    """What the library has said to one thread: it logs in the thread that calls it, and others call it meanwhile."""

    def __init__(self) -> None:
        self.messages: deque[str] = deque(maxlen=20)
        self.level = 0


@dataclass(slots=True)
class Library:
    """The loaded native library.

    `c` is the module `llama_cpp.llama_cpp`. `extra_buffers` is whether weights may be repacked for this CPU. `gpu` is
    the name of the GPU the library will use, or None. `abort_callback` is a C function for `llama_set_abort_callback`
    whose data is a byte string: a non-empty one aborts.
    """

    c: Any
    build: str
    system_info: str
    extra_buffers: bool
    gpu: str | None
    abort_callback: Any
    told: _Told = field(default_factory=_Told)
    keep: list[Any] = field(default_factory=list[Any])  # what C holds pointers to
    numa: Numa = Numa.OFF

    def spread_over_processors(self, numa: Numa) -> None:
        """Have threads spread over several processors from now on; the engine takes that once in a process."""
        if self.numa is Numa.OFF and numa is not Numa.OFF:
            self.numa = numa
            self.c.llama_numa_init(_NUMA[numa])

    @property
    def messages(self) -> deque[str]:
        """The last warnings and errors that calls of this thread caused."""
        return self.told.messages

    @property
    def last_messages(self) -> str:
        """The last warnings and errors that calls of this thread caused, one line; "" where there were none."""
        return " ".join(text.strip() for text in tuple(self.messages) if text.strip())


_library: Library | None = None
_lock = threading.Lock()


def library() -> Library:
    """The library, loaded on first use. Raises EngineFailure where it is missing or cannot be loaded."""
    global _library
    with _lock:
        if _library is None:
            _library = _load()
        return _library


def default_threads() -> int:
    """Threads for generation: the physical cores this process may use, less one for the window; at least 1."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 2
    if hasattr(os, "sched_getaffinity"):
        physical = min(physical, len(os.sched_getaffinity(0)))
    return max(1, physical - 1)


def engine_build() -> str:
    """What answers here, in one line: "llama.cpp 0.5.0-dev via llama-cpp-python 0.3.36 AVX2"."""
    return library().build


def _load() -> Library:
    # libgomp reads these once, when it is loaded. Its threads otherwise spin, which on a busy desktop costs most of
    # the speed. What the person has set stays.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    try:
        c: Any = importlib.import_module("llama_cpp.llama_cpp")
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineFailure(
            f"The engine llama.cpp could not be loaded: {error}",
            "Install the package llama-cpp-python, or run 'codette-desktop doctor'.",
            retryable=False,
        ) from error
    info = c.llama_print_system_info().decode("utf-8", "replace")
    loaded = Library(
        c=c,
        build=_build(c, info),
        system_info=info,
        extra_buffers="AMX" not in info,  # AMX kernels crash on CPUs that only claim them
        gpu=None,
        abort_callback=_strlen(c),
    )
    _redirect_log(loaded)
    c.llama_backend_init()
    loaded.gpu = _gpu(c)
    log.debug("loaded %s; %s", loaded.build, info)
    return loaded


def _build(c: Any, info: str) -> str:
    words = info.replace("|", " ").split()
    sets = [name for name in _INSTRUCTION_SETS if name in words]
    parts = [f"llama.cpp {c.llama_version().decode()} via llama-cpp-python {_package_version()}", *sets[:1]]
    backends = [word for word, following in pairwise(words) if following == ":" and word != "CPU"]
    return " ".join(parts + backends)


def _package_version() -> str:
    try:
        return importlib.metadata.version("llama-cpp-python")
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def _strlen(c: Any) -> Any:
    """The C library's strlen as an abort callback: no Python runs per graph node, so it costs nothing."""
    return ctypes.cast(_c_runtime().strlen, c.ggml_abort_callback)


def _c_runtime() -> ctypes.CDLL:
    return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)


def _redirect_log(loaded: Library) -> None:
    """Send the library's messages to `logging` (debug), and keep warnings and errors for error texts."""

    def on_message(level: int, text: bytes, _data: object) -> None:
        told = loaded.told
        level = told.level if level == _LEVEL_CONTINUED else level
        told.level = level
        line = text.decode("utf-8", "replace").rstrip()
        if not line or line == ".":
            return
        if level in (_LEVEL_WARNING, _LEVEL_ERROR):
            told.messages.append(line)
        log.debug("%s", line)

    callback = loaded.c.llama_log_callback(on_message)
    loaded.keep.append(callback)
    loaded.c.llama_log_set(callback, ctypes.c_void_p(0))
    # Destructors of the library may log after Python has gone: by then a C function that does nothing must listen.
    silent = ctypes.cast(_c_runtime().abs, loaded.c.llama_log_callback)
    loaded.keep.append(silent)
    atexit.register(loaded.c.llama_log_set, silent, ctypes.c_void_p(0))


def _gpu(c: Any) -> str | None:
    """The description of the first GPU the library can use, or None."""
    if not c.llama_supports_gpu_offload():
        return None
    try:
        count, get, kind, describe = (device_function(c, name) for name in ("count", "get", "type", "description"))
    except (AttributeError, OSError):
        return "GPU"
    count.restype, get.restype, kind.restype, describe.restype = (
        ctypes.c_size_t,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_char_p,
    )
    get.argtypes, kind.argtypes, describe.argtypes = [ctypes.c_size_t], [ctypes.c_void_p], [ctypes.c_void_p]
    for index in range(count()):
        device = get(index)
        if kind(device) in _GPU_TYPES:
            return describe(device).decode("utf-8", "replace")
    return None


def device_function(c: Any, name: str) -> Any:
    """A function of ggml's device list, which the package does not bind.

    On Windows a library does not hand out the names of those it depends on, so ggml is asked itself.
    """
    source: Any = c._lib  # the package keeps its handle nowhere else
    if sys.platform == "win32":
        # The general list lives in ggml.dll, the properties of one device in ggml-base.dll.
        file = "ggml.dll" if name in ("count", "get") else "ggml-base.dll"
        source = ctypes.CDLL(str(c._base_path / file))
    return source[f"ggml_backend_dev_{name}"]  # item access gives a fresh object whose types are ours to set
