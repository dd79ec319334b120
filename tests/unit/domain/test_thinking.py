"""Splitting thoughts from answers, wherever the stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.thinking import ThinkSplitter, split


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("<think>a</think>b", "a", "b"),
        ("\n<think>\na\n</think>\n\nb", "a", "b"),
        ("plain", "", "plain"),
        ("<think>never closed", "never closed", ""),
        ("the tag <think> is text", "", "the tag <think> is text"),
        ("<thinking>", "", "<thinking>"),
        ("<thi", "", "<thi"),
        ("", "", ""),
        ("<think></think>b", "", "b"),
        ("a < b", "", "a < b"),
    ],
)
def test_split(text: str, thought: str, answer: str) -> None:
    assert split(text) == (thought, answer)


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "th", "ink>", "a", " ", "\n", "/", "b\n"]), max_size=12))
def test_every_way_of_cutting_gives_the_same(pieces: list[str]) -> None:
    whole = split("".join(pieces))
    splitter = ThinkSplitter()
    parts = [part for piece in pieces for part in splitter.feed(piece)] + splitter.finish()
    thought = "".join(text for kind, text in parts if kind == "think").strip()
    assert (thought, "".join(text for kind, text in parts if kind == "answer")) == whole
