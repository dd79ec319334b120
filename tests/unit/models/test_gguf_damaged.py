"""Damaged and random files: an error of the family or a header, nothing else, in bounded time."""

import time
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codette_desktop.domain.errors import ModelFileError
from codette_desktop.models.gguf import GgufHeader, read_header
from tests.support import gguf_mutations
from tests.support.gguf_files import Tokenizer, write_model

DAMAGED = 200


def outcome(path: Path) -> str:
    """What reading gives; anything but a header or an error of the family goes on to fail the test."""
    try:
        header = read_header(path)
    except ModelFileError as error:
        return type(error).__name__ if error.message.strip() and error.hint else "an error without words"
    assert isinstance(header, GgufHeader)
    assert header.parameters > 0
    return "header"


@pytest.mark.parametrize("tokenizer", ["gpt2", "llama"])
def test_damaged_files_give_an_error_or_a_header(tmp_path: Path, tokenizer: Tokenizer) -> None:
    path = write_model(tmp_path / "m.gguf", tokenizer=tokenizer, quantisation="Q4_0")
    seen: set[str] = set()
    for _, content in islice(gguf_mutations.mutants(path.read_bytes(), seed=7), DAMAGED):
        begun = time.perf_counter()
        seen.add(outcome(gguf_mutations.write(path, content)))
        assert time.perf_counter() - begun < 5
    assert seen == {"header", "ModelFileError", "TruncatedModel", "UnsupportedModel"}


@given(content=st.binary(max_size=400), start=st.sampled_from([b"", b"GGUF", b"GGUF\x03\0\0\0", b"GGUF\x02\0\0\0"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes_are_refused(tmp_path: Path, content: bytes, start: bytes) -> None:
    assert outcome(gguf_mutations.write(tmp_path / "x.gguf", start + content)) != "header"


@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), length=st.integers(1, 9))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_overwritten_bytes_give_an_error_or_a_header(tmp_path: Path, place: float, byte: int, length: int) -> None:
    source = tmp_path / "source.gguf"
    if not source.exists():
        write_model(source, quantisation="Q4_0")
    content = bytearray(source.read_bytes())
    start = int(place * gguf_mutations.header_bytes(bytes(content)))
    content[start : start + length] = bytes([byte]) * length
    outcome(gguf_mutations.write(tmp_path / "damaged.gguf", bytes(content)))
