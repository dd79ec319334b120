"""Closed answers in the words of models: what is the same must come out the same, and nothing may break."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.closed_answers import AnswerKind, canonical_number, canonical_text, extract, number_of

OPTIONS = ("Paris", "London", "New London", "the Seine")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", "42"),
        ("The answer is 1,234.50 euros.", "1234.5"),
        ("First 3 apples, then 4: 3 + 4 = 7.", "7"),
        ("12 times 12 is 144", "144"),
        ("#### -17", "-17"),
        (r"so \boxed{3.25} it is, as 2 shows", "3.25"),
        ("It costs $1 234 567.", "1234567"),
        ("Das Ergebnis ist 3,5.", "3.5"),
        ("\u22125 degrees", "-5"),
        ("1e3", "1000"),
        (".5", "0.5"),
        ("-0.0", "0"),
        ("100%", "100"),
        ("Answer: **12**", "12"),
        ("The answer is 7 because 2 + 5 makes it so, as 3 know", "7"),
        ("none at all", None),
        ("version v2x", None),
        ("9" * 100, None),
        ("", None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    assert extract(text, AnswerKind.NUMBER) == number


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("(b)", "B"),
        ("B) London, since it lies on the Thames", "B"),
        ("The answer is (C).", "C"),
        ("I think A is wrong. The answer is: D", "D"),
        ("Option A: it is the capital", "A"),
        ("It must be Paris.", "A"),
        ("New London of course", "C"),
        ("Paris or London", None),
        ("A river is what I see there", None),
        ("7Private, yes: the text stays. A question to a model costs nothing", None),
        ("Clearly A is right", "A"),
        ("It has to be A", "A"),
        ("It has to be (A) here", "A"),
        ("the answer is E", None),
        ("I do not know", None),
    ],
)
def test_choices(text: str, letter: str | None) -> None:
    assert extract(text, AnswerKind.CHOICE, OPTIONS) == letter


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Yes, it is.", "yes"),
        ("**No.** It is not.", "no"),
        ("That is not correct.", "no"),
        ("Ja, das stimmt.", "yes"),
        ("Das ist nicht richtig", "no"),
        ("It depends on the weather", None),
    ],
)
def test_yes_and_no(text: str, word: str | None) -> None:
    assert extract(text, AnswerKind.YES_NO) == word


@pytest.mark.parametrize(
    "text",
    [
        '{"b": [1, 2], "a": "x"}',
        'Here you are:\n```json\n{"a": "x",\n "b": [1, 2]}\n```\nAnything else?',
        'The object {"a":"x","b":[1,2]} says it.',
    ],
)
def test_json_is_compared_by_content(text: str) -> None:
    assert extract(text, AnswerKind.JSON) == '{"a":"x","b":[1,2]}'


def test_text_is_compared_without_dress() -> None:
    assert canonical_text("  The  Eiffel-Tower! ") == canonical_text("eiffel tower") == "eiffel tower"
    assert canonical_text("ＦＵＬＬ width") == "full width"
    assert canonical_text("!?") is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_any_number_is_found_again_however_it_is_grouped(value: Decimal) -> None:
    wanted = canonical_number(value)
    for text in (f"{value:f}", f"{value:,f}", f"So the answer is {value:,f}, I say."):
        found = number_of(text)
        assert found is not None
        assert canonical_number(found) == wanted


@given(st.text(st.characters(), max_size=300), st.sampled_from(AnswerKind))
def test_any_text_gives_an_answer_or_none_and_the_same_again(text: str, kind: AnswerKind) -> None:
    found = extract(text, kind, OPTIONS)
    assert found is None or (found and isinstance(found, str))
    assert extract(text, kind, OPTIONS) == found


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)).map(
        lambda x: [x]
    )
)
def test_any_json_is_itself_whatever_stands_around_it(value: object) -> None:
    found = extract(f"Look: {json.dumps(value)} - that is all.", AnswerKind.JSON)
    assert found is not None
    assert json.loads(found) == value
