"""Lines and objects out of bytes that come in any pieces."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.errors import ServerFailed
from codette_desktop.inference.http import reading

VALUES = st.lists(st.dictionaries(st.text(max_size=5), st.text() | st.integers() | st.none(), min_size=1), max_size=6)


async def pieces(data: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    for start, stop in pairwise(places):
        yield data[start:stop]


async def everything(found: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in found]


@given(VALUES, st.lists(st.integers(0, 400)), st.sampled_from(["\n", "\r\n"]))
async def test_objects_come_out_as_they_went_in(values: list[dict[str, Any]], cuts: list[int], end: str) -> None:
    data = "".join(json.dumps(value, ensure_ascii=False) + end for value in values).encode("utf-8", "surrogatepass")
    found = await everything(reading.objects(reading.lines(pieces(data, cuts), "X"), "X"))
    assert found == [json.loads(json.dumps(value)) for value in values]


@given(VALUES, st.lists(st.integers(0, 400)), st.sampled_from(["\n", "\r\n"]))
async def test_events_come_out_as_they_went_in(values: list[dict[str, Any]], cuts: list[int], end: str) -> None:
    text = f": ping{end}{end}" + "".join(f"data: {json.dumps(value)}{end}{end}" for value in values)
    data = f"event: x{end}{text}data: [DONE]{end}{end}data: not read{end}{end}".encode()
    assert await everything(reading.events(reading.lines(pieces(data, cuts), "X"), "X")) == values


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
async def test_any_bytes_end_in_objects_or_a_clear_error(data: bytes, cuts: list[int]) -> None:
    for read in (reading.objects, reading.events):
        found: list[Any] = []
        with suppress(ServerFailed):
            found = await everything(read(reading.lines(pieces(data, cuts), "X"), "X"))
        assert all(isinstance(item, dict) for item in found)


async def test_limits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 100)
    with pytest.raises(ServerFailed, match="more than an answer can be"):
        await everything(reading.lines(pieces(b"x" * 300, list(range(0, 300, 10))), "X"))


def test_deep_json_is_no_answer() -> None:
    with pytest.raises(ServerFailed, match="no answer"):
        reading.parse("[" * 100_000, "X")


@pytest.mark.parametrize("value", [None, "7", True, -1, float("nan"), float("inf"), [], 1e30])
def test_what_counts_nothing_is_zero(value: object) -> None:
    assert reading.number_of(value) == 0
