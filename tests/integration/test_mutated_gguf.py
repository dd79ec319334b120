"""Damaged models that pass our own check go to the real engine: it must refuse or run them, never go down."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from codette_desktop.domain.errors import ModelError
from codette_desktop.models.gguf import read_header
from tests.support import gguf_files, gguf_mutations, llama_probe

pytest.importorskip("llama_cpp")
PASSING = 200
SLOWEST_S = 60.0


def _passing_mutants(folder: Path, count: int, seed: int = 20) -> Iterator[tuple[str, Path]]:
    """`count` damaged files that `read_header` accepts, of both tokenizers and all quantisations in turn."""
    streams: list[Iterator[tuple[str, bytes]]] = []
    for tokenizer in ("gpt2", "llama"):
        for quantisation in ("F32", "F16", "Q8_0", "Q4_0"):
            source = folder / "source.gguf"
            gguf_files.write_model(source, layers=2, tokenizer=tokenizer, quantisation=quantisation)
            streams.append(gguf_mutations.meaningful_mutants(source.read_bytes(), seed + len(streams)))
    found = 0
    for number, stream in enumerate(itertools.cycle(streams)):
        name, content = next(stream)
        path = gguf_mutations.write(folder / f"{number}.gguf", content)
        try:
            read_header(path)
        except ModelError:
            path.unlink()
            continue
        yield name, path
        found += 1
        if found == count:
            return


class _Child:
    """One probing process, started again after each crash."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def probe(self, path: Path) -> str:
        process = self._process = self._process or subprocess.Popen(
            [sys.executable, llama_probe.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "GGML_NO_BACKTRACE": "1"},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        watchdog = threading.Timer(SLOWEST_S, process.kill)
        watchdog.start()
        try:
            for line in process.stdout:
                if line.startswith(llama_probe.ANSWER):
                    return line.removeprefix(llama_probe.ANSWER).strip()
        finally:
            watchdog.cancel()
            watchdog.join()
        self.close()
        return f"CRASHED with status {process.returncode}"

    def close(self) -> None:
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        self._process.wait(30)
        self._process = None


def _probe_all(files: Iterable[tuple[str, Path]]) -> tuple[list[str], list[str]]:
    """What came of each file, and those of them that took the child down."""
    answers: list[str] = []
    crashed: list[str] = []
    with contextlib.closing(_Child()) as child:
        for name, path in files:
            answer = child.probe(path)
            answers.append(answer)
            if answer.startswith("CRASHED"):
                crashed.append(f"{name} ({path.name}): {answer}")
            else:
                path.unlink()
    return answers, crashed


def test_no_damaged_file_that_passes_the_check_takes_the_engine_down(tmp_path: Path) -> None:
    answers, crashed = _probe_all(_passing_mutants(tmp_path, PASSING))
    assert not crashed
    assert len(answers) == PASSING
    assert sum(answer == "wrote 3" for answer in answers) > PASSING // 3


def test_the_probe_notices_a_crash(tmp_path: Path) -> None:
    """A vocabulary with one token twice is what the engine stops the process on; our check refuses it."""
    path = gguf_files.write_model(tmp_path / "doubled.gguf")
    parts = gguf_mutations.Parts.of(path.read_bytes())
    tokens = parts.tokens()
    parts.set_tokens([*tokens[:-1], tokens[0]])
    gguf_mutations.write(path, parts.joined())
    _, crashed = _probe_all([("doubled", path)])
    assert len(crashed) == 1
    with pytest.raises(ModelError, match="twice"):
        read_header(path)
