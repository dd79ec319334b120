"""What a file is known by, and what its header says of it."""

import hashlib
from pathlib import Path

import pytest

from codette_desktop.domain.errors import ModelFileError, ModelNotFound
from codette_desktop.models.identity import file_hash, info_from_header
from tests.support.gguf_files import write_model

MIB = 2**20


def test_hash_is_of_size_and_both_ends(tmp_path: Path) -> None:
    content = bytes(range(256)) * (3 * MIB // 256) + b"end"
    path = tmp_path / "big.gguf"
    path.write_bytes(content)
    expected = hashlib.sha256(len(content).to_bytes(8, "little") + content[:MIB] + content[-MIB:]).hexdigest()
    assert file_hash(path) == expected


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 2 * MIB])
def test_small_files_enter_whole_and_once(tmp_path: Path, size: int) -> None:
    content = bytes(index % 251 for index in range(size))
    path = tmp_path / "small.gguf"
    path.write_bytes(content)
    assert file_hash(path) == hashlib.sha256(size.to_bytes(8, "little") + content).hexdigest()


def test_hash_tells_ends_and_parts_apart(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_bytes(bytes(3 * MIB))
    two.write_bytes(bytes(3 * MIB - 1) + b"\1")
    assert len({file_hash(one), file_hash(two), file_hash(one, two), file_hash(two, one)}) == 4


def test_hash_of_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        file_hash(tmp_path / "absent")
    with pytest.raises(ModelFileError):
        file_hash(tmp_path)


def test_info_is_what_the_header_says(tmp_path: Path) -> None:
    path = write_model(tmp_path / "guide-q8.gguf", name="Guide", quantisation="Q8_0")
    info = info_from_header(path, starter=True)
    assert (info.name, info.display_name, info.label) == ("guide-q8", "Guide", "Guide · Q8_0")
    assert (info.architecture, info.quantisation, info.parameters) == ("llama", "Q8_0", 139_584)
    assert (info.context_length, info.vocabulary_size, info.size_bytes) == (512, 512, path.stat().st_size)
    assert info.starter
    assert info.chat_template
    assert info.file_hash == ""


def test_a_model_without_a_name_is_called_after_its_file(tmp_path: Path) -> None:
    assert info_from_header(write_model(tmp_path / "nameless.gguf", name=" ")).display_name == "nameless"
