"""Stop strings and characters: what may be shown does not depend on how the text comes in pieces."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.inference.llama.text import AnswerText, StopFilter

few_letters = st.text("abc", max_size=30)
stops = st.lists(st.text("abc", min_size=1, max_size=4), max_size=3)


def cut(text: str, places: list[int]) -> list[str]:
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def shown_by_definition(text: str, endings: list[str]) -> str:
    """The text before the stop string that is complete first."""
    for end in range(1, len(text) + 1):
        starts = [end - len(stop) for stop in endings if text[:end].endswith(stop)]
        if starts:
            return text[: min(starts)]
    return text


@given(few_letters, stops, st.lists(st.integers(0, 30), max_size=8))
def test_pieces_change_nothing(text: str, endings: list[str], places: list[int]) -> None:
    filtered = StopFilter(endings)
    shown = [filtered.feed(piece) for piece in cut(text, places)]
    rest = "" if filtered.stopped else filtered.finish()
    assert "".join(shown) + rest == shown_by_definition(text, endings)
    assert filtered.stopped == any(stop in text for stop in endings)


@given(few_letters, stops)
def test_text_is_held_back_only_while_it_may_become_a_stop_string(text: str, endings: list[str]) -> None:
    filtered = StopFilter(endings)
    shown = "".join(map(filtered.feed, text))
    if not filtered.stopped:
        held = text[len(shown) :]
        assert held == "" or any(stop.startswith(held) and stop != held for stop in endings)


def test_nothing_follows_a_stop_string() -> None:
    filtered = StopFilter(["END"])
    assert filtered.feed("an answer EN") == "an answer "
    assert filtered.feed("D and more") == ""
    assert filtered.stopped
    assert filtered.feed("more") == ""


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=8))
def test_bytes_in_pieces_give_the_text_of_the_whole(data: bytes, places: list[int]) -> None:
    answer = AnswerText()
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    shown = [answer.feed(data[start:end]) for start, end in pairwise(bounds)]
    assert "".join(shown) + answer.finish() == data.decode("utf-8", "replace")


@given(st.text(max_size=20))
def test_characters_are_never_split(text: str) -> None:
    data = text.encode("utf-8", "replace")
    answer = AnswerText()
    shown = [answer.feed(data[index : index + 1]) for index in range(len(data))]
    assert "".join(shown) == data.decode()
    assert "\ufffd" not in "".join(shown) or "\ufffd" in text


def test_a_stop_string_completed_by_the_last_flush_still_stops() -> None:
    answer = AnswerText(["x\ufffd"])
    assert answer.feed(b"ab x\xe2\x82") == "ab "
    assert answer.finish() == ""
    assert answer.stopped
