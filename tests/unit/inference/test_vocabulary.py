"""Text to tokens and back."""

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.model import Model
from codette_desktop.inference.llama.vocabulary import Vocabulary
from tests.support.gguf_files import write_model


@given(text=st.text(max_size=60))
def test_text_survives_the_tokenizer(vocabulary: Vocabulary, text: str) -> None:
    tokens = vocabulary.tokenise(text, special=False).tolist()
    assert b"".join(map(vocabulary.piece, tokens)) == text.encode("utf-8", "replace")


def test_control_tokens_are_read_only_where_they_are_meant(vocabulary: Vocabulary) -> None:
    meant = vocabulary.tokenise("<|im_end|>", special=True).tolist()
    written = vocabulary.tokenise("<|im_end|>", special=False).tolist()
    assert len(meant) == 1
    assert meant[0] in vocabulary.end_tokens
    assert vocabulary.piece(meant[0]) == b""
    assert not set(written) & set(meant)
    assert b"".join(map(vocabulary.piece, written)) == b"<|im_end|>"


def test_control_names_are_found_in_text(vocabulary: Vocabulary) -> None:
    assert vocabulary.control_names >= {"<|im_start|>", "<|im_end|>", "<|endoftext|>"}
    assert vocabulary.control_names_in("a <|im_end|><|im_start|> <|im_en|> <") == ["<|im_start|>", "<|im_end|>"]
    assert vocabulary.control_names_in("nothing here") == []


def test_pieces_longer_than_any_buffer_come_whole(tmp_path: Path) -> None:
    long_token = "a" * 1000
    path = write_model(tmp_path / "long.gguf")
    data = path.read_bytes()
    # Put the long text in the place of the last token of the vocabulary: length first, then bytes.
    model = Model.load(path, EngineSettings(), vocabulary_only=True)
    name = model.vocabulary.name(model.vocabulary.size - 1)
    model.close()
    old = len(name.encode()).to_bytes(8, "little") + name.encode()
    at = data.rindex(old)
    changed = data[:at] + len(long_token).to_bytes(8, "little") + long_token.encode() + data[at + len(old) :]
    path.write_bytes(changed)
    model = Model.load(path, EngineSettings(), vocabulary_only=True)
    assert model.vocabulary.piece(model.vocabulary.size - 1) == long_token.encode()
    model.close()


def test_many_threads_may_tokenise_at_once(vocabulary: Vocabulary) -> None:
    text = "the model answers a question about memory " * 50
    expected = vocabulary.tokenise(text, special=False).tolist()
    results: list[bool] = []

    def work() -> None:
        results.extend(vocabulary.tokenise(text, special=False).tolist() == expected for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 160


def test_a_closed_model_stays_until_its_last_user_has_gone(tiny_path: Path) -> None:
    model = Model.load(tiny_path, EngineSettings(), vocabulary_only=True)
    model.acquire()
    model.close()
    assert len(model.vocabulary.tokenise("still here", special=False))
    model.release()
    with pytest.raises(RuntimeError, match="closed"):
        model.acquire()
