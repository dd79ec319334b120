"""The Rate tab in the real window with the real engine: sittings by keyboard, undo, verdict, leaderboard, votes."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.domain.duels import Ending, PromptSource
from codette_desktop.domain.votes import Exclusion, Preference, Source, Vote, VoteFilter
from codette_desktop.gui import shortcuts
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.rate import presenter as rate_presenter
from codette_desktop.gui.tabs.rate.state import Phase, RateSetup, SittingState
from codette_desktop.gui.tabs.rate.tab import RateTab
from codette_desktop.gui.theme import theme
from codette_desktop.gui.widgets import file_dialogs
from tests.gui.conftest import close_window, settle, until

PROMPTS = "\n".join(f"Tell me about {what}." for what in ("ships", "trees", "rain", "bread", "chess", "snow", "salt"))


@pytest.fixture
def rate(window: MainWindow, application: Application) -> RateTab:
    """The tab, with two contestants of one small model that never say the same."""
    name = application.store.settings.get("model", "")
    window.show_tab("rate")
    specs = (f"{name}?temperature=1&max_tokens=12", f"{name}?temperature=1.5&max_tokens=12")
    window.rate.presenter.set_setup(RateSetup(specs, PromptSource.TYPED, PROMPTS, margin=None))
    return window.rate


def state_of(tab: RateTab) -> SittingState:
    assert tab.presenter.state is not None
    return tab.presenter.state


async def begin(tab: RateTab, qtbot: QtBot) -> SittingState:
    qtbot.mouseClick(tab.setup_page.start_button, Qt.MouseButton.LeftButton)
    await until(lambda: tab.presenter.state is not None and tab.presenter.state.phase is Phase.READING)
    return state_of(tab)


async def press(tab: RateTab, qtbot: QtBot, key: Qt.Key) -> None:
    """As a person does: wherever the keyboard is."""
    await settle()
    qtbot.keyClick(QApplication.focusWidget() or tab.duel_page, key)
    await settle()


def votes(application: Application) -> list[Vote]:
    return application.store.votes.list(VoteFilter(sources=(Source.DUEL,)))


async def test_a_sitting_needs_no_mouse(
    rate: RateTab, qtbot: QtBot, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_presenter, "NAMES_AFTER_S", 0.05)
    rate.setup_page.question.setFocus()
    await press(rate, qtbot, Qt.Key.Key_Return)
    await until(lambda: rate.presenter.state is not None and rate.presenter.state.phase is Phase.READING)
    state = state_of(rate)
    keys = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_0, Qt.Key.Key_9)
    for number, key in enumerate(keys, 1):
        await until(lambda: state.phase is Phase.READING)
        await press(rate, qtbot, key)
        await until(lambda number=number: len(votes(application)) == number)
        await until(lambda: state.names_shown)
        await press(rate, qtbot, Qt.Key.Key_Space)  # on to the next at once
    said = [vote.preference for vote in reversed(votes(application))]
    assert said == [Preference.LEFT, Preference.RIGHT, Preference.TIE, Preference.BOTH_BAD]
    assert all(0 < (vote.seconds or 0) < 60 and vote.counts for vote in votes(application))


async def test_names_are_nowhere_before_the_vote_and_slide_in_after_it(rate: RateTab, qtbot: QtBot) -> None:
    state = await begin(rate, qtbot)
    page = rate.duel_page
    assert state.duel is not None
    for pane in (page.left, page.right):
        assert not pane.name.isVisible()
        assert pane.name.text() == ""
        assert "emperature" not in pane.markdown.accessibleName()
    assert page.left.markdown.text().strip() == state.duel.left_answer.message.content.strip()
    assert page.prompt.text() == state.duel.question.message.content
    await press(rate, qtbot, Qt.Key.Key_1)
    assert page.left.mark.text() == "Better"
    await until(lambda: state.names_shown)
    assert page.left.name.text() == state.duel.left.label
    assert page.right.name.text() == state.duel.right.label
    assert page.left.name.isVisible()


async def test_both_answers_come_together(rate: RateTab, qtbot: QtBot) -> None:
    seen: list[tuple[bool, bool]] = []
    page = rate.duel_page
    shown = page.show_state

    def watch(state: SittingState) -> None:
        shown(state)
        seen.append((bool(page.left.markdown.text()), bool(page.right.markdown.text())))

    rate.sitting_changed = watch  # type: ignore[method-assign]
    await begin(rate, qtbot)
    assert (True, True) in seen
    assert not {(True, False), (False, True)} & set(seen)


async def test_a_slip_is_taken_back_and_the_duel_stays_blind(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    state = await begin(rate, qtbot)
    duel = state.duel
    assert duel is not None
    await press(rate, qtbot, Qt.Key.Key_1)
    await until(lambda: state.undoable is not None)
    await press(rate, qtbot, Qt.Key.Key_U)
    await until(lambda: state.phase is Phase.READING)
    assert state.duel is not None
    assert state.duel.id == duel.id
    await press(rate, qtbot, Qt.Key.Key_2)
    await until(lambda: len(votes(application)) == 2)
    newest, taken = votes(application)
    assert newest.exclusion is Exclusion.NONE
    assert taken.taken_back_at is not None


async def test_after_the_names_a_vote_can_be_taken_back_but_is_no_longer_blind(
    rate: RateTab, qtbot: QtBot, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_presenter, "NAMES_AFTER_S", 0.0)
    monkeypatch.setattr(rate_presenter, "NAMES_FOR_S", 0.0)
    state = await begin(rate, qtbot)
    first = state.duel
    await press(rate, qtbot, Qt.Key.Key_1)
    await until(lambda: state.phase is Phase.READING and state.duel is not None and state.duel != first)
    second = state.duel
    assert rate.undo_strip.button.isVisible()
    assert "not count as blind" in rate.undo_strip.words.text()
    await press(rate, qtbot, Qt.Key.Key_U)
    await until(lambda: first is not None and state.duel is not None and state.duel.id == first.id)
    assert "counts for no verdict" in rate.undo_strip.words.text()
    monkeypatch.setattr(rate_presenter, "NAMES_AFTER_S", 60.0)
    await press(rate, qtbot, Qt.Key.Key_2)
    await until(lambda: len(votes(application)) == 2)
    await until(lambda: state.undoable is not None)
    assert "not count as blind" in rate.undo_strip.words.text()  # though the names are not shown again yet
    assert votes(application)[0].exclusion is Exclusion.SEEN
    await press(rate, qtbot, Qt.Key.Key_Space)
    await until(lambda: state.duel is not None and second is not None and state.duel.id == second.id)


async def test_undo_is_over_after_ten_seconds(
    rate: RateTab, qtbot: QtBot, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_presenter, "UNDO_S", 1)
    state = await begin(rate, qtbot)
    await press(rate, qtbot, Qt.Key.Key_1)
    await until(lambda: state.undoable is not None)
    await until(lambda: state.undoable is None)
    await press(rate, qtbot, Qt.Key.Key_U)
    assert [vote.taken_back_at for vote in votes(application)] == [None]


async def test_reasons_and_a_better_answer_are_kept_with_the_vote(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    state = await begin(rate, qtbot)
    await press(rate, qtbot, Qt.Key.Key_C)
    await press(rate, qtbot, Qt.Key.Key_B)
    await press(rate, qtbot, Qt.Key.Key_B)  # no, not brief
    await press(rate, qtbot, Qt.Key.Key_E)
    assert rate.duel_page.votes.correction.hasFocus()
    qtbot.keyClicks(rate.duel_page.votes.correction, "1 and 2, better")
    assert state.phase is Phase.READING  # what is typed is no vote
    await press(rate, qtbot, Qt.Key.Key_Escape)
    await press(rate, qtbot, Qt.Key.Key_2)
    await until(lambda: len(votes(application)) == 1)
    vote = votes(application)[0]
    assert (vote.preference, vote.tags, vote.correction) == (Preference.RIGHT, ("correct",), "1 and 2, better")
    await until(lambda: state.duel is not None and state.duel.id != vote.duel_id)
    assert rate.duel_page.votes.correction.toPlainText() == ""
    assert not state.tags


async def test_an_experiment_that_ends_shows_its_verdict(
    rate: RateTab, qtbot: QtBot, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_presenter, "NAMES_AFTER_S", 0.0)
    monkeypatch.setattr(rate_presenter, "NAMES_FOR_S", 0.0)
    rate.setup_page.most_votes.setMinimum(1)
    rate.presenter.set_setup(replace(rate.presenter.setup, most_votes=2))
    state = await begin(rate, qtbot)
    for number in (1, 2):
        await until(lambda: state.phase is Phase.READING)
        await press(rate, qtbot, Qt.Key.Key_1)
        await until(lambda number=number: len(votes(application)) == number)
    await until(lambda: rate.stack.currentWidget() is rate.verdict_page)
    assert application.rating.experiments()[0].ending is Ending.MOST_VOTES
    assert rate.side.list.count() == 1


async def test_the_leaderboard_and_the_votes_are_reached_from_the_list(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    await begin(rate, qtbot)
    await press(rate, qtbot, Qt.Key.Key_1)
    await until(lambda: len(votes(application)) == 1)
    qtbot.mouseClick(rate.side.leaderboard_button, Qt.MouseButton.LeftButton)
    assert rate.stack.currentWidget() is rate.leaderboard_page
    rate.show_votes(VoteFilter())
    assert rate.stack.currentWidget() is rate.votes_page
    rate.stop()
    assert rate.stack.currentWidget() is rate.leaderboard_page
    rate.open(application.rating.experiments()[0].id)
    await until(lambda: rate.stack.currentWidget() is rate.verdict_page)
    rate.verdict_page.go_on_wanted.emit()
    await until(lambda: rate.stack.currentWidget() is rate.duel_page)


async def test_an_experiment_is_deleted_and_comes_back(rate: RateTab, qtbot: QtBot, application: Application) -> None:
    await begin(rate, qtbot)
    experiment = application.rating.experiments()[0]
    rate.side.delete_wanted.emit(experiment.id)
    await until(lambda: rate.side.list.count() == 0)
    assert rate.presenter.state is None  # nobody prepares duels for it any more
    assert rate.stack.currentWidget() is rate.setup_page
    await rate.presenter.restore(experiment.id)
    await until(lambda: rate.side.list.count() == 1)


async def test_an_experiment_is_ended_before_its_rule_is_met(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    await begin(rate, qtbot)
    await press(rate, qtbot, Qt.Key.Key_1)
    await until(lambda: len(votes(application)) == 1)
    experiment = application.rating.experiments()[0]
    rate.open(experiment.id)
    await until(lambda: rate.stack.currentWidget() is rate.verdict_page)
    rate.verdict_page.end_wanted.emit()
    await until(lambda: application.rating.experiment(experiment.id).ending is Ending.STOPPED)
    assert rate.presenter.state is None


async def test_votes_on_view_are_read_anew_when_one_is_cast(
    rate: RateTab, qtbot: QtBot, application: Application
) -> None:
    await begin(rate, qtbot)
    await press(rate, qtbot, Qt.Key.Key_1)
    await until(lambda: len(votes(application)) == 1)
    rate.show_votes(VoteFilter(sources=(Source.DUEL,)))
    assert rate.votes_page.model.rowCount() == 1
    rate.presenter.vote(Preference.LEFT)
    await until(lambda: state_of(rate).phase is Phase.READING)
    rate.presenter.vote(Preference.RIGHT)
    await until(lambda: rate.votes_page.model.rowCount() == 2)


async def test_votes_are_exported_from_the_verdict(
    rate: RateTab, qtbot: QtBot, application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begin(rate, qtbot)
    await press(rate, qtbot, Qt.Key.Key_1)
    await until(lambda: len(votes(application)) == 1)
    rate.open(application.rating.experiments()[0].id)
    await until(lambda: rate.stack.currentWidget() is rate.verdict_page)
    for kind, name in (("csv", "votes.csv"), ("dpo", "votes.jsonl")):

        async def pick(*_arguments: object, name: str = name) -> Path:
            return tmp_path / name

        monkeypatch.setattr(file_dialogs, "pick_save_file", pick)
        rate.verdict_page.export_wanted.emit(kind)
        await until((tmp_path / name).exists)
    await until(lambda: (tmp_path / "votes.jsonl").stat().st_size > 0)
    assert (tmp_path / "votes.csv").read_text("utf-8-sig").splitlines()[0].startswith("model_a,model_b,winner")


async def test_what_cannot_begin_says_why_in_place(rate: RateTab, qtbot: QtBot) -> None:
    rate.presenter.set_setup(replace(rate.presenter.setup, typed=" \n "))
    qtbot.mouseClick(rate.setup_page.start_button, Qt.MouseButton.LeftButton)
    await until(rate.setup_page.problem.isVisible)
    assert "no prompt" in rate.setup_page.problem.text()
    assert rate.setup_page.start_button.isEnabled()
    rate.presenter.set_setup(replace(rate.presenter.setup, typed=PROMPTS, specs=rate.presenter.setup.specs[:1]))
    assert not rate.setup_page.start_button.isEnabled()


async def test_the_setup_is_remembered(rate: RateTab, application: Application) -> None:
    name = application.store.settings.get("model", "")
    chosen = RateSetup(
        (name, f"vote({name}, {name}?temperature=0)"), PromptSource.SUITE, "", "choice", "Which?", 40, 0.05
    )
    rate.presenter.set_setup(chosen)
    await until(lambda: application.store.settings.get(rate_presenter.SETUP_SETTING, {}).get("suite") == "choice")
    again = rate_presenter.RatePresenter(application, rate)
    assert again.setup == chosen
    assert rate.setup_page.contestants.chips[1].text().startswith("Vote: ")


async def test_a_window_closed_in_the_middle_keeps_what_was_prepared(
    application: Application, qapp: QApplication, qtbot: QtBot
) -> None:
    from codette_desktop.gui.app import build

    window = build(application)
    window.show()
    window.start()
    name = application.store.settings.get("model", "")
    specs = (f"{name}?temperature=1&max_tokens=12", f"{name}?temperature=1.5&max_tokens=12")
    window.rate.presenter.set_setup(RateSetup(specs, PromptSource.TYPED, PROMPTS))
    window.show_tab("rate")
    await begin(window.rate, qtbot)
    await close_window(window)
    experiment = application.rating.experiments()[0]
    assert application.store.duels.waiting(experiment.id)


async def test_everything_is_readable_in_the_dark_and_enlarged(rate: RateTab, qtbot: QtBot) -> None:
    await begin(rate, qtbot)
    for mode in ("dark", "light"):
        theme().set_mode(mode)  # type: ignore[arg-type]
        await settle()
    theme().set_zoom(150)
    await settle()
    assert rate.duel_page.votes.isVisible()
    assert rate.duel_page.left.width() == pytest.approx(rate.duel_page.right.width(), abs=1)
    theme().set_zoom(100)


def test_no_two_keys_of_a_duel_are_the_same() -> None:
    keys = [
        key
        for item in (
            *shortcuts.RATE_VOTES.values(), *shortcuts.RATE_REASONS.values(), shortcuts.RATE_UNDO,
            shortcuts.RATE_CORRECT, shortcuts.RATE_NEXT, shortcuts.RATE_UP, shortcuts.RATE_DOWN,
        )
        for key in item.keys
    ]  # fmt: skip
    assert len(keys) == len(set(keys))


async def test_thumbs_are_kept_and_shown_again(window: MainWindow, application: Application, qtbot: QtBot) -> None:
    window.show_tab("ask")
    qtbot.keyClicks(window.ask.composer.edit, "hello")
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await until(lambda: len(window.ask.presenter.nodes) == 2 and not window.ask.presenter.is_answering)
    await settle()
    card = window.ask.messages.cards[-1]
    assert not card.thumbs.isHidden()  # type: ignore[attr-defined]
    card.thumbs.up.click()  # type: ignore[attr-defined]
    node = window.ask.presenter.nodes[-1]
    await until(lambda: application.rating.thumb_of(node.id) is Preference.UP)
    card.thumbs.down.click()  # type: ignore[attr-defined]
    await until(lambda: application.rating.thumb_of(node.id) is Preference.DOWN)
    assert not card.thumbs.up.isChecked()  # type: ignore[attr-defined]
    conversation = window.ask.presenter.conversation.id
    window.ask.new_chat()
    await settle()
    window.ask.show_chat(conversation)
    await until(lambda: len(window.ask.messages.cards) == 2)
    again = window.ask.messages.cards[-1]
    assert again.thumbs.down.isChecked()  # type: ignore[attr-defined]
    again.thumbs.down.click()  # type: ignore[attr-defined]
    await until(lambda: application.rating.thumb_of(node.id) is None)


async def test_two_columns_of_a_comparison_are_rated_and_sent_to_a_blind_duel(
    window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    name = application.store.settings.get("model", "")
    window.show_tab("compare")
    compare = window.compare
    setup = compare.presenter.setup
    specs = tuple(f"{name}?temperature={heat}&max_tokens=12" for heat in ("1", "1.5"))
    compare.presenter.set_setup(replace(setup, specs=specs))
    qtbot.keyClicks(compare.prompt.edit, "hello")
    qtbot.keyClick(compare.prompt.edit, Qt.Key.Key_Return)
    await until(lambda: compare.presenter.is_running)
    await until(lambda: not compare.presenter.is_running)
    assert not compare.rate_row.isVisible()
    compare.tools.rate_button.click()
    assert compare.rate_row.isVisible()
    compare.rate_row.buttons[Preference.RIGHT].click()
    await until(lambda: application.store.votes.count(VoteFilter(sources=(Source.COMPARE,))) == 1)
    vote = application.store.votes.list(VoteFilter())[0]
    assert (vote.preference, vote.exclusion, vote.counts) == (Preference.RIGHT, Exclusion.NOT_BLIND, False)
    compare.rate_row.buttons[Preference.LEFT].click()  # no, the other one
    await until(lambda: application.store.votes.count(VoteFilter()) == 2)
    standing = [vote for vote in application.store.votes.list(VoteFilter()) if vote.taken_back_at is None]
    assert [vote.preference for vote in standing] == [Preference.LEFT]
    compare.rate_row.blind_button.click()
    await asyncio.sleep(0)
    assert window.pages.currentWidget() is window.rate
    assert window.rate.presenter.setup.specs == specs
