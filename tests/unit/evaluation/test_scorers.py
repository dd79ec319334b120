"""Scorers: their bounds, their invariances, and chrF against sacrebleu."""

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.evaluation.scorers import SCORERS, chrf, smape

WORDS = st.text("abcde éß 漢字,.", max_size=60)


@given(WORDS, WORDS.filter(str.strip))
def test_chrf_is_sacrebleus(answer: str, reference: str) -> None:
    wanted = sacrebleu.sentence_chrf(answer, [reference]).score / 100
    assert chrf(answer, reference) == pytest.approx(wanted, abs=1e-9)


@given(st.sampled_from(sorted(SCORERS)), st.text(st.characters(), max_size=80), st.text(st.characters(), max_size=80))
def test_every_score_lies_between_none_and_all(name: str, answer: str, reference: str) -> None:
    assert 0.0 <= SCORERS[name](answer, reference, ("one", "two")) <= 1.0


@pytest.mark.parametrize(
    ("scorer", "answer", "reference", "score"),
    [
        ("exact", " Paris\n", "Paris", 1),
        ("exact", "paris", "Paris", 0),
        ("normalised", "the  PARIS!", "Paris", 1),
        ("contains", "It is Paris, of course.", "paris", 1),
        ("contains", "Parisian", "Paris", 0),
        ("contains", "anything", "!", 0),
        ("number", "So it is 1,234.0.", "1234", 1),
        ("number", "I do not know.", "1234", 0),
        ("choice", "The answer is (B).", "B", 1),
        ("yes/no", "No, never", "no", 1),
        ("json", 'Here: {"b":1, "a":2}', '{"a": 2, "b": 1}', 1),
        ("smape", "100", "100", 1),
        ("smape", "0", "0", 1),
        ("smape", "50", "100", 1 - 50 / 150),
        ("smape", "-100", "100", 0),
        ("smape", "none", "100", 0),
    ],
)
def test_what_is_right(scorer: str, answer: str, reference: str, score: float) -> None:
    assert SCORERS[scorer](answer, reference, ()) == pytest.approx(score)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_smape_does_not_care_which_is_the_reference(one: int, other: int) -> None:
    assert smape(str(one), str(other)) == smape(str(other), str(one))
