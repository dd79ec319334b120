"""The page of duels by itself: what it shows of two answers, and what it keeps to itself."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.conversations import Node
from codette_desktop.domain.duels import Duel, Experiment, PromptSource, StoppingRule
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.messages import Message, Role
from codette_desktop.domain.votes import Preference, Tally
from codette_desktop.gui.tabs.rate.duel_page import DuelPage, progress_text
from codette_desktop.gui.tabs.rate.state import Phase, SittingState
from codette_desktop.gui.theme import theme
from codette_desktop.rating.verdict import conclude
from tests.support.voting import ADA, BOB, START, generation

EXPERIMENT = Experiment("e", "Which is better?", (ADA, BOB), PromptSource.TYPED, ("Why?",), StoppingRule(), START)
STANDING = conclude(Tally((ADA, BOB), (), (), (), ()), StoppingRule())


def node(name: str, text: str, role: Role = Role.ASSISTANT, reason: FinishReason = FinishReason.STOP) -> Node:
    made = replace(generation(name), reason=reason) if role is Role.ASSISTANT else None
    return Node(name, "c", None, Message(role, text), datetime.now(UTC), (), made)


def duel(left: str, right: str, *, prompt: str = "Why?", reason: FinishReason = FinishReason.STOP) -> Duel:
    question = node("q", prompt, Role.USER)
    return Duel("d", "e", question, ADA, BOB, node("l", left, reason=reason), node("r", right), 1, swapped=False)


def reading(item: Duel, **more: object) -> SittingState:
    return SittingState(EXPERIMENT, STANDING, Phase.READING, item, **more)  # type: ignore[arg-type]


@pytest.fixture
def page(qtbot: QtBot) -> DuelPage:
    made = DuelPage()
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    return made


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        ("<think>Hm.</think>One.", "<think>Well.</think>Two.", True),
        ("<think>Hm.</think>One.", "Two.", False),
        ("One.", "<think>Well.</think>Two.", False),
        ("One.", "Two.", False),
    ],
)
def test_thoughts_are_shown_of_both_or_of_neither(page: DuelPage, left: str, right: str, shown: bool) -> None:
    page.show_state(reading(duel(left, right)))
    assert [pane.thought is not None for pane in (page.left, page.right)] == [shown, shown]
    assert (page.left.markdown.text().strip(), page.right.markdown.text().strip()) == ("One.", "Two.")


def test_an_answer_that_was_cut_says_so(page: DuelPage) -> None:
    page.show_state(reading(duel("One.", "Two.", reason=FinishReason.LENGTH)))
    assert page.left.cut.isVisible()
    assert not page.right.cut.isVisible()


def test_an_empty_answer_says_so(page: DuelPage) -> None:
    page.show_state(reading(duel("", "Two.")))
    assert "empty" in page.left.markdown.text()


def test_both_answers_scroll_by_key(page: DuelPage) -> None:
    long = "\n\n".join(f"Paragraph {number}." for number in range(200))
    page.show_state(reading(duel(long, long + " And more.")))
    for pane in (page.left, page.right):
        if (inside := pane.area.widget()) is not None:
            inside.adjustSize()
    page.scroll_answers(1)
    down = [pane.area.verticalScrollBar().value() for pane in (page.left, page.right)]
    assert all(value > 100 for value in down)
    page.scroll_answers(-1)
    assert [pane.area.verticalScrollBar().value() for pane in (page.left, page.right)] == [0, 0]


def test_names_come_with_the_vote_and_go_with_the_next_duel(page: DuelPage) -> None:
    first = duel("One.", "Two.")
    page.show_state(reading(first))
    assert (page.left.name.text(), page.right.name.text()) == ("", "")
    voted = SittingState(EXPERIMENT, STANDING, Phase.VOTED, first, names_shown=True, preference=Preference.RIGHT)
    page.show_state(voted)
    assert (page.left.name.text(), page.right.name.text()) == (ADA.label, BOB.label)
    assert (page.left.mark.text(), page.right.mark.text()) == ("", "Better")
    page.show_state(reading(replace(first, id="next")))
    assert (page.left.name.text(), page.right.name.text()) == ("", "")
    assert not page.left.name.isVisible()


def test_markup_and_other_scripts_are_words_in_a_prompt(page: DuelPage) -> None:
    for text in ("<b>bold</b> & <script>", "كيف حالك؟", "你好吗", "a" * 20_000):
        page.show_state(reading(replace(duel("One.", "Two.", prompt=text), id=text[:4])))
        assert page.prompt.text() == text
    assert page.prompt_area.height() <= 140  # a long one scrolls


def test_what_keeps_a_contestant_from_answering_is_shown_with_a_way_on(page: DuelPage) -> None:
    retried: list[bool] = []
    page.retry_wanted.connect(lambda: retried.append(True))
    state = SittingState(EXPERIMENT, STANDING, Phase.WAITING, error=CodetteError("Ada cannot answer.", "Load it."))
    page.show_state(state)
    assert page.waiting.text() == "Ada cannot answer. Load it."
    assert not page.bar.isVisible()
    page.retry_button.click()
    assert retried


def test_used_up_prompts_are_told(page: DuelPage) -> None:
    page.show_state(SittingState(EXPERIMENT, STANDING, Phase.OVER))
    assert "every prompt" in page.waiting.text()
    assert not page.retry_button.isVisible()


@pytest.mark.parametrize(
    ("votes", "equal", "text"),
    [(0, 0, "0 votes, about"), (1, 0, "1 vote, about"), (3, 1, "2 votes and 1 equal pair, about"),
     (7, 5, "2 votes and 5 equal pairs, about")],
)  # fmt: skip
def test_progress_counts_what_the_person_did(votes: int, equal: int, text: str) -> None:
    tally = Tally((ADA, BOB), [0] * votes, [1] * votes, [0.5] * votes, list(range(votes)))
    assert progress_text(conclude(tally, StoppingRule()), equal).startswith(text)


@pytest.mark.parametrize(
    ("size", "zoom"), [((493, 366), 100), ((450, 310), 150), ((1000, 640), 150), ((980, 640), 100)]
)
@pytest.mark.parametrize("writing", [False, True])
def test_nothing_lies_on_anything_in_a_small_window(
    page: DuelPage, size: tuple[int, int], zoom: int, writing: bool
) -> None:
    theme().set_zoom(zoom)
    page.show_state(reading(duel("Left words", "Right words")))
    if writing:
        page.votes.correct()
    page.resize(*size)
    QApplication.processEvents()
    bar = page.votes
    areas = [page.prompt_area, page.stack, *bar.buttons.values()]
    areas += [widget for widget in (bar.reason_row, bar.correction) if widget.isVisible()]
    places = [QRect(widget.mapTo(page, QPoint()), widget.size()) for widget in areas]
    for first, second in combinations(places, 2):
        assert not first.intersects(second)
    assert all(page.rect().contains(place) for place in places)
    assert page.left.area.height() >= 8
    assert bar.correction.isVisible() is writing
    for button in bar.buttons.values():
        assert button.width() >= button.sizeHint().width(), button.text()
    head = page.verdict_button
    assert head.width() >= head.sizeHint().width()


def test_what_gave_way_comes_back_with_the_room(page: DuelPage) -> None:
    page.show_state(reading(duel("Left words", "Right words")))
    page.resize(450, 250)
    QApplication.processEvents()
    assert not page.question.isVisible()
    assert not page.votes.reason_row.isVisible()
    page.resize(1100, 700)
    QApplication.processEvents()
    assert page.question.isVisible()
    assert page.votes.reason_row.isVisible()
    assert page.verdict_button.text() == "Verdict so far"
    assert page.votes.buttons[Preference.LEFT].text() == "Left is better   1"
