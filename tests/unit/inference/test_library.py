"""The native library: its switches, its messages, and what it says of itself."""

import ctypes
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from codette_desktop.inference.llama import library as module
from codette_desktop.inference.llama.library import default_threads, engine_build, library
from tests.support.gguf_files import write_model


def test_the_build_is_told_in_one_line() -> None:
    words = engine_build().split()
    assert words[0] == "llama.cpp"
    assert "llama-cpp-python" in words
    assert "\n" not in engine_build()


@pytest.mark.parametrize(
    ("info", "extra", "end"),
    [
        ("CPU : SSE3 = 1 | AVX = 1 | AVX2 = 1 | F16C = 1 | REPACK = 1 | ", True, " AVX2"),
        ("CPU : AVX2 = 1 | AVX512 = 1 | AMX_INT8 = 1 | REPACK = 1 | ", False, " AMX_INT8"),
        ("CUDA : ARCHS = 900 | USE_GRAPHS = 1 | CPU : NEON = 1 | ", True, " NEON CUDA"),
    ],
)
def test_weights_are_not_repacked_where_amx_is_compiled_in(
    monkeypatch: pytest.MonkeyPatch, info: str, extra: bool, end: str
) -> None:
    class Binding:
        def __getattr__(self, name: str) -> Any:
            return getattr(library().c, name)

        def llama_print_system_info(self) -> bytes:
            return info.encode()

        def llama_log_set(self, *_arguments: object) -> None:
            """The real callback stays."""

    monkeypatch.setattr(module.importlib, "import_module", lambda _name: Binding())
    loaded = module._load()
    assert loaded.extra_buffers is extra
    assert loaded.build.endswith(end)


def test_openmp_is_told_to_wait_quietly_before_it_is_loaded() -> None:
    code = (
        "import os, sys; os.environ.pop('OMP_WAIT_POLICY', None); os.environ['GOMP_SPINCOUNT'] = '7'\n"
        "from codette_desktop.inference.llama.library import library\n"
        "assert 'llama_cpp' not in sys.modules; library()\n"
        "print(os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["passive", "7"]  # what the person has set stays
    assert done.stderr == ""


def test_messages_go_to_the_log_and_errors_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    engine = library()
    callback = next(item for item in engine.keep if isinstance(item, engine.c.llama_log_callback))
    engine.messages.clear()
    with caplog.at_level(logging.DEBUG, "codette_desktop.inference.llama.library"):
        for level, text in ((2, b"plain\n"), (4, b"bad \xff thing"), (5, b" goes on\n"), (2, b"."), (3, b"hm\n")):
            callback(level, text, ctypes.c_void_p(0))
    assert engine.last_messages == "bad \ufffd thing goes on hm"
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


def test_threads_do_not_hear_of_each_others_errors(tmp_path: Path) -> None:
    engine = library()
    engine.messages.clear()
    path = write_model(tmp_path / "bad.gguf")
    path.write_bytes(path.read_bytes().replace(b"blk.1.attn_q.weight", b"blk.1.attn_x.weight"))
    seen: list[str] = []

    def load() -> None:
        engine.c.llama_model_load_from_file(str(path).encode(), engine.c.llama_model_default_params())
        seen.append(engine.last_messages)

    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    assert "attn_q" in seen[0]
    assert engine.last_messages == ""


def test_a_core_is_left_for_the_window() -> None:
    assert 1 <= default_threads() <= max(1, (os.cpu_count() or 2) - 1)
