"""Reading a request: complexity, needs, context."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.tasks import TaskType
from codette_desktop.inference.routing.reading import estimate_prompt, estimate_tokens
from codette_desktop.inference.routing.router import Router

router = Router()


@given(st.text(st.characters(codec=None), max_size=500), st.lists(st.text(max_size=50), max_size=4))
def test_any_request_is_read(text: str, before: list[str]) -> None:
    task = router.read(text, [Message(Role.USER, content) for content in before])
    levels = (task.complexity, task.confidence, task.needs.accuracy, task.needs.speed, task.needs.creativity)
    assert all(0 <= level <= 1 for level in levels)
    assert task.context_tokens >= task.answer_tokens > 0


def test_needs_follow_the_words() -> None:
    poem = router.read("Write a creative poem about a lighthouse")
    exact = router.read("Debug this medical calculation: the exact dose must be correct, it returns the wrong value")
    assert poem.needs.creativity > 0.6 > exact.needs.creativity
    assert exact.needs.accuracy > poem.needs.accuracy
    assert (
        router.read("Quick, short answer: who wrote Faust?").needs.speed > router.read("Who wrote Faust?").needs.speed
    )


def test_hard_requests_are_more_complex_than_easy_ones() -> None:
    hard = router.read("Design a distributed, secure and scalable payment system for a million concurrent users")
    easy = router.read("Write a simple, short hello world function")
    assert hard.complexity > 0.8 > 0.4 > easy.complexity
    assert router.read("hello").complexity <= 0.2


def test_tokens_are_estimated_on_the_high_side_in_bounded_time() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("The quick brown fox jumps over the lazy dog.") in range(10, 16)
    assert estimate_tokens("快速的棕色狐狸跳过懒狗") >= 11
    long = "word " * 200_000
    start = time.perf_counter()
    assert estimate_tokens(long) == pytest.approx(len(long) / 3.5, rel=0.01)
    assert time.perf_counter() - start < 0.05


def test_the_request_is_counted_once() -> None:
    before = [Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Hello there")]
    around = estimate_prompt("", [])
    contents = sum(estimate_tokens(message.content) for message in before)
    assert estimate_prompt("Hello there", before) == contents + 2 * around
    assert estimate_prompt("And now?", before) > estimate_prompt("Hello there", before)


def test_a_short_afterthought_is_read_with_the_question_before_it() -> None:
    before = [
        Message(Role.USER, "Write unit tests with pytest for my tax function"),
        Message(Role.ASSISTANT, "def test_tax(): ..."),
    ]
    for text in ("and now shorter", "hmm, xyzzy"):
        assert router.read(text).type is not TaskType.TESTING
        assert router.read(text, [*before, Message(Role.USER, text)]).type is TaskType.TESTING
    assert router.read("Who wrote Faust?", before).type is TaskType.GENERAL
