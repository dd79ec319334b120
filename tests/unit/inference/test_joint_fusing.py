"""Putting next tokens together: vocabularies as bytes, unions, averages, and drawing from what comes of it."""

import gc
import math
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from codette_desktop.domain.models import EngineSettings
from codette_desktop.inference.llama.joint.fusing import Fused, Scores, choose, fuse
from codette_desktop.inference.llama.joint.table import END, ByteTable, most_probable
from codette_desktop.inference.llama.model import Model
from tests.support.gguf_files import Tokenizer, write_model

TEXTS = [
    "the water",
    " hello, World!",
    "    indented\n\tcode()",
    "Grüße, 日本語, العربية, हिन्दी, 🙂👩‍👩‍👧",
    "\n\n",
    "1234567890",
    "\u0000\u0007",
    "zero\u200bwidth",
]


_models: list[Model] = []  # a table does not keep its vocabulary


@pytest.fixture(scope="module", autouse=True)
def models_are_freed() -> Iterator[None]:
    yield
    while _models:
        _models.pop().close()


def test_a_table_goes_with_its_vocabulary(tmp_path: Path) -> None:
    table = weakref.ref(table_of(tmp_path, "gpt2"))
    _models.pop().close()
    gc.collect()
    assert table() is None


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ByteTable:
    return table_of(tmp_path_factory.mktemp("model"), request.param)


def table_of(folder: Path, tokenizer: Tokenizer, vocabulary: int = 512) -> ByteTable:
    path = write_model(folder / f"{tokenizer}{vocabulary}.gguf", tokenizer=tokenizer, vocabulary=vocabulary)
    _models.append(Model.load(path, EngineSettings(), vocabulary_only=True))
    return ByteTable.of(_models[-1].vocabulary)


def logits(table: ByteTable, **wanted: float) -> np.ndarray:
    """Very improbable but for some pieces; `END` under the name of "end"."""
    found = np.full(table.size, -30.0, np.float32)
    for piece, value in wanted.items():
        found[table.ends[0] if piece == "end" else table.ids[piece.encode()]] = value
    return found


@pytest.mark.parametrize("size", [1, 127, 300, 4096, 50_257, 151_936])
@pytest.mark.parametrize("count", [1, 3, 12])
def test_the_most_probable_are_those_of_a_whole_sort(size: int, count: int) -> None:
    values = np.random.default_rng(size).normal(size=size).astype(np.float32)
    values[: size // 3] = values[0]  # ties: the lowest numbers
    expected = np.sort(values)[::-1][:count]
    assert values[most_probable(values, count)].tolist() == expected.tolist()


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_is_said_byte_by_byte(table: ByteTable, text: str) -> None:
    data = text.encode()
    tokens = table.encode(data)
    assert tokens is not None
    assert table.joined(tokens) == data
    half = table.encode(data[: len(data) // 2])  # also where it ends inside a character
    assert half is not None
    assert table.joined(half) == data[: len(data) // 2]


def test_bytes_that_are_no_text_can_be_said(table: ByteTable) -> None:
    data = bytes(range(256))
    tokens = table.encode(data)
    assert tokens is not None
    assert table.joined(tokens) == data


def test_a_character_is_said_by_its_own_token_and_not_by_that_of_its_byte(tmp_path: Path) -> None:
    table = table_of(tmp_path, "llama")
    assert table.pieces.count(b"a") == 2
    assert table.ids[b"a"] == max(at for at, piece in enumerate(table.pieces) if piece == b"a")


def test_first_choices_hold_each_piece_once_and_no_control_tokens(table: ByteTable) -> None:
    scores = logits(table, a=5, b=4, end=3)
    scores[[at for at, piece in enumerate(table.pieces) if not piece and at not in table.ends]] = 9
    assert table.first_choices(scores, 3) == [b"a", b"b", END]
    only_control = np.full(table.size, -math.inf, np.float32)
    assert table.first_choices(only_control, 1)


def test_equal_vocabularies_are_averaged_by_weight(tmp_path: Path) -> None:
    table = table_of(tmp_path, "gpt2")
    one, two = logits(table, a=math.log(0.9), b=math.log(0.1)), logits(table, a=math.log(0.2), b=math.log(0.8))
    found = fuse([Scores(table, one), Scores(table, two)], (0.75, 0.25), 0)
    chances = dict(zip(found.candidates, found.probabilities.tolist(), strict=True))
    assert chances[b"a"] == pytest.approx(0.75 * 0.9 + 0.25 * 0.2, abs=1e-4)
    assert chances[b"b"] == pytest.approx(0.75 * 0.1 + 0.25 * 0.8, abs=1e-4)


def test_different_vocabularies_are_compared_by_what_their_tokens_say(tmp_path: Path) -> None:
    here, there = table_of(tmp_path, "gpt2"), table_of(tmp_path, "llama")
    assert here.fingerprint != there.fingerprint
    one, two = logits(here, a=math.log(0.6), b=math.log(0.4)), logits(there, a=math.log(0.3), c=math.log(0.7))
    found = fuse([Scores(here, one), Scores(there, two)], (3.0, 1.0), 0)
    chances = dict(zip(found.candidates, found.probabilities.tolist(), strict=True))
    assert [chances[piece] for piece in (b"a", b"b", b"c")] == pytest.approx([0.525, 0.3, 0.175], abs=1e-3)
    even = fuse([Scores(here, one), Scores(there, two)], (0.0, 0.0), 0)  # nobody counts: all count the same
    # 0.45, 0.2 and 0.35 before it is sharpened, since none of them reaches a half
    raised = [value ** (1 / 0.7) for value in (0.45, 0.2, 0.35)]
    chances = dict(zip(even.candidates, even.probabilities.tolist(), strict=True))
    assert [chances[piece] for piece in (b"a", b"b", b"c")] == pytest.approx(
        [value / sum(raised) for value in raised], abs=1e-3
    )
    assert (Scores(here, one).first, Scores(there, two).first) == (b"a", b"c")


def test_pieces_that_a_vocabulary_has_no_token_for_share_that_of_their_beginning(tmp_path: Path) -> None:
    small, large = table_of(tmp_path, "llama", vocabulary=370), table_of(tmp_path, "gpt2", vocabulary=700)
    long = next(piece for piece in large.ids if len(piece) > 2 and piece not in small.ids and piece.isalpha())
    first = small.pieces[(small.encode(long) or [0])[0]]
    heads = np.full(large.size, -30.0, np.float32)
    heads[large.ids[long]] = 0.0
    found = fuse([Scores(small, logits(small, **{first.decode(): 0.0, "Q": 0.0})), Scores(large, heads)], (0.5, 0.5), 0)
    chances = dict(zip(found.candidates, found.probabilities.tolist(), strict=True))
    # The one says `first` with half its mass, half of which `long` gets, and "Q"; the other says `long`.
    assert chances[long] == pytest.approx(0.625, abs=1e-3)
    assert chances[first] == pytest.approx(0.125, abs=1e-3)
    assert chances[b"Q"] == pytest.approx(0.25, abs=1e-3)


def test_all_tokens_that_end_an_answer_are_one(tmp_path: Path) -> None:
    table = table_of(tmp_path, "gpt2")
    assert len(table.ends) > 1
    scores = logits(table, a=0.0)
    scores[table.ends] = -math.log(len(table.ends))
    assert Scores(table, scores).first in (b"a", END)
    assert Scores(table, scores).sure == pytest.approx(0.5, abs=1e-3)


def test_what_is_drawn_follows_the_probabilities() -> None:
    fused = Fused([b"a", b"b", END], np.array([0.2, 0.7, 0.1]))
    assert choose(fused, 0, 0.99) == 1
    draws = [choose(fused, 1.0, (at + 0.5) / 1000) for at in range(1000)]
    assert [draws.count(at) / 1000 for at in range(3)] == pytest.approx([0.2, 0.7, 0.1], abs=0.002)
    assert choose(fused, 1.0, 1.0) == 2
