"""The Compare tab in the real window with the real engine: asking, methods, differences, taking an answer, batches."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.domain.comparisons import TOGETHER, BatchState, Origin
from codette_desktop.domain.ensembles import Method
from codette_desktop.domain.messages import Message, Role
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.compare.state import Setup
from codette_desktop.gui.tabs.compare.tab import CompareTab
from tests.gui.conftest import settle, until
from tests.support.llama_server import STARTER


@pytest.fixture
def compare(window: MainWindow, application: Application) -> CompareTab:
    """The tab, with two members of one small model that answer differently."""
    name = application.store.settings.get("model", "")
    window.show_tab("compare")
    window.compare.presenter.set_setup(
        Setup((f"{name}?temperature=1&seed=1&max_tokens=12", f"{name}?temperature=1&seed=2&max_tokens=12"))
    )
    return window.compare


async def ask(tab: CompareTab, qtbot: QtBot, text: str) -> None:
    """Type a prompt and press Enter, then wait for all answers."""
    tab.prompt.set_text("")
    qtbot.keyClicks(tab.prompt.edit, text)
    qtbot.keyClick(tab.prompt.edit, Qt.Key.Key_Return)
    await until(lambda: tab.presenter.is_running)
    await until(lambda: not tab.presenter.is_running)
    await settle()


async def test_an_empty_tab_says_what_it_is_for_and_offers_three_things(compare: CompareTab) -> None:
    assert compare.stack.currentWidget() is compare.empty
    assert len(compare.empty.buttons) == 3


async def test_two_members_answer_beside_each_other_with_their_figures(compare: CompareTab, qtbot: QtBot) -> None:
    await ask(compare, qtbot, "hello model")
    columns = compare.columns.columns
    assert len(columns) == 2
    for column in columns:
        assert column.markdown.text()
        words = column.figures.text().replace("\N{NO-BREAK SPACE}", " ")
        for part in ("tok/s", "first token", "12 tokens", "GB in memory"):
            assert part in words
        assert not column.card.branches.isVisible()
    assert columns[0].markdown.text() != columns[1].markdown.text()
    assert compare.columns.last.isHidden()
    assert compare.side.model.rowCount() == 1


async def test_differences_are_marked_and_counted_and_can_be_switched_off(compare: CompareTab, qtbot: QtBot) -> None:
    await ask(compare, qtbot, "hello model")
    compare.tools.differences_button.click()
    await until(lambda: compare.marker.found.first)
    assert "of the words differ" in compare.tools.summary.text()
    compare.tools.second.setCurrentIndex(0)
    compare.tools.second.activated.emit(0)
    assert compare.tools.pair is None
    assert compare.tools.summary.text() == "Choose two different answers"
    compare.tools.differences_button.click()
    assert not compare.marker.found.first
    assert compare.tools.summary.isHidden()


async def test_a_method_makes_one_answer_and_shows_how(compare: CompareTab, qtbot: QtBot) -> None:
    compare.setup_bar.method.setCurrentIndex(compare.setup_bar.method.findData(Method.CONSENSUS.value))
    compare.setup_bar.method.activated.emit(compare.setup_bar.method.currentIndex())
    await ask(compare, qtbot, "hello model")
    together = compare.columns.together
    assert compare.columns.last.isVisible()
    assert together.text() in {column.markdown.text() for column in compare.columns.columns}
    assert "Agreement" in together.quality.text()
    assert together.reasons.text()


async def test_every_method_is_offered(compare: CompareTab) -> None:
    methods = [compare.setup_bar.method.itemData(at) for at in range(compare.setup_bar.method.count())]
    assert methods == [method.value for method in Method]


async def test_a_kept_comparison_opens_again_with_its_members(
    compare: CompareTab, qtbot: QtBot, application: Application
) -> None:
    setup = compare.presenter.setup
    await ask(compare, qtbot, "hello model")
    texts = [column.markdown.text() for column in compare.columns.columns]
    compare.new()
    compare.presenter.set_setup(compare.presenter.personas_setup())
    assert compare.stack.currentWidget() is compare.empty
    compare.open(application.comparisons.list()[0].id)
    assert compare.prompt.text() == "hello model"
    assert compare.presenter.setup == setup
    assert [column.markdown.text() for column in compare.columns.columns] == texts


async def test_one_column_is_asked_again_and_the_other_stays(compare: CompareTab, qtbot: QtBot) -> None:
    await ask(compare, qtbot, "hello model")
    first, kept = (column.node for column in compare.presenter.state.columns)
    assert first is not None
    assert kept is not None
    compare.columns.columns[0].again_button.click()
    await until(lambda: not compare.presenter.is_running)
    again, other = (column.node for column in compare.presenter.state.columns)
    assert again is not None
    assert other is not None
    assert again.id != first.id
    assert other.id == kept.id


async def test_the_former_answer_stays_in_its_column_where_the_model_has_gone(
    compare: CompareTab, qtbot: QtBot, codette_home: Path
) -> None:
    model = codette_home / "models" / "leaving.gguf"
    model.parent.mkdir(exist_ok=True)
    shutil.copy(STARTER, model)
    compare.presenter.set_setup(
        replace(compare.presenter.setup, specs=("leaving?max_tokens=12", compare.presenter.setup.specs[1]))
    )
    await ask(compare, qtbot, "hello model")
    said = compare.columns.columns[0].markdown.text()
    model.unlink()
    compare.columns.columns[0].again_button.click()
    await until(lambda: not compare.presenter.is_running)
    assert said
    assert compare.columns.columns[0].markdown.text() == said
    assert compare.columns.columns[0].use_button.isEnabled()
    assert "leaving" in compare.problem.text()


async def test_one_answer_is_written_together_and_shows_who_decided(
    compare: CompareTab, qtbot: QtBot, application: Application
) -> None:
    name = application.store.settings.get("model", "")
    members = (f"{name}?temperature=1&seed=1&max_tokens=30", "guide-m-q8_0?temperature=1&max_tokens=30")
    compare.presenter.set_setup(Setup(members, Method.TOKEN))
    await ask(compare, qtbot, "hello model")
    together = compare.columns.together
    outcome = compare.presenter.state.outcome
    assert outcome is not None
    paragraphs = [segment.leaf.toPlainText() for segment in together.markdown._segments]  # pyright: ignore[reportPrivateUsage]
    together.markdown.set_markdown(outcome.text)  # as it is drawn when all is there
    assert paragraphs == [segment.leaf.toPlainText() for segment in together.markdown._segments]  # pyright: ignore[reportPrivateUsage]
    assert together.markdown.text() == outcome.text == "".join(token.text for token in outcome.tokens)
    for column in compare.columns.columns:
        assert column.waiting.text().startswith("Wrote with the others")
        assert not column.stop_button.isVisible()
    together.colours_button.click()
    assert together.coloured.isVisible()
    assert "background-color" in together.coloured.text() or "<u>" in together.coloured.text()
    assert "Decided together" in together.legend.text()
    assert not together.markdown.isVisible()
    compare.new()
    compare.open(application.comparisons.list()[0].id)
    assert together.text() == outcome.text
    compare.columns.columns[1].again_button.click()  # what it says by itself
    await until(lambda: not compare.presenter.is_running)
    assert compare.columns.columns[1].markdown.text()
    assert compare.presenter.state.outcome == outcome


async def test_stopping_before_anything_has_begun_leaves_the_tab_usable(compare: CompareTab, qtbot: QtBot) -> None:
    qtbot.keyClicks(compare.prompt.edit, "hello model")
    qtbot.keyClick(compare.prompt.edit, Qt.Key.Key_Return)
    assert compare.presenter.is_running
    assert compare.presenter.stop()  # in the same turn of the loop: the task has not had its first step
    await until(lambda: not compare.presenter.is_running)
    assert all("stopped" in str(column.state.error) for column in compare.columns.columns)
    await ask(compare, qtbot, "hello model")
    assert all(column.markdown.text() for column in compare.columns.columns)


async def test_the_one_answer_is_used_and_continued_as_a_chat(compare: CompareTab, application: Application) -> None:
    compare.presenter.set_setup(replace(compare.presenter.setup, method=Method.TOKEN))
    conversations = application.store.conversations
    chat = await asyncio.wrap_future(conversations.create())
    leaf = await asyncio.wrap_future(conversations.add_message(chat.id, None, Message(Role.USER, "Hello")))
    assert compare.presenter.compare("hello model", Origin(chat.id, leaf.id))
    await until(lambda: not compare.presenter.is_running)
    await settle()
    together = compare.columns.together
    text = together.text()
    together.use_button.click()
    await until(lambda: compare.presenter.state.chosen == TOGETHER)
    assert [node.message.content for node in conversations.branch(chat.id)] == ["Hello", "hello model", text]
    assert together.use_button.text() == "Used"
    together.chat_button.click()
    await until(lambda: len(conversations.list()) == 2)
    assert application.store.check() == []


async def test_an_answer_is_copied_used_and_continued_as_a_chat(
    compare: CompareTab, qtbot: QtBot, window: MainWindow
) -> None:
    await ask(compare, qtbot, "hello model")
    column = compare.columns.columns[1]
    column.copy_button.click()
    assert QApplication.clipboard().text() == column.markdown.text()
    column.use_button.click()
    await until(lambda: compare.presenter.state.chosen == 1)
    await until(lambda: column.use_button.text() == "Used")
    text = column.markdown.text()
    column.chat_button.click()
    await until(lambda: len(window.ask.presenter.nodes) == 2)
    assert window.pages.currentWidget() is window.ask
    assert [node.message.content for node in window.ask.presenter.nodes] == ["hello model", text]


async def test_ctrl_enter_in_a_chat_asks_the_members_and_the_answer_used_goes_back(
    window: MainWindow, compare: CompareTab, qtbot: QtBot
) -> None:
    window.show_tab("ask")
    qtbot.keyClicks(window.ask.composer.edit, "first")
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await until(lambda: len(window.ask.presenter.nodes) == 2 and not window.ask.presenter.is_answering)
    chat = window.ask.presenter.conversation.id
    qtbot.keyClicks(window.ask.composer.edit, "second")
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: compare.presenter.is_running)
    assert window.pages.currentWidget() is compare
    await until(lambda: not compare.presenter.is_running)
    assert compare.presenter.state.origin is not None
    compare.columns.columns[0].use_button.click()
    await until(lambda: compare.presenter.state.chosen == 0)
    window.show_tab("ask")
    window.ask.show_chat(chat)
    assert [node.message.content for node in window.ask.presenter.nodes][2] == "second"


async def test_an_unknown_model_is_said_where_the_members_stand_and_the_prompt_stays(
    compare: CompareTab, qtbot: QtBot
) -> None:
    compare.presenter.set_setup(Setup(("no-such-model", *compare.presenter.setup.specs)))
    qtbot.keyClicks(compare.prompt.edit, "hello")
    qtbot.keyClick(compare.prompt.edit, Qt.Key.Key_Return)
    assert not compare.presenter.is_running
    assert "no-such-model" in compare.problem.text()
    assert compare.problem.isVisible()
    assert compare.prompt.text() == "hello"
    assert "no-such-model" in compare.setup_bar.chips[0].text()


async def test_stopping_keeps_what_was_written(compare: CompareTab, qtbot: QtBot, application: Application) -> None:
    name = application.store.settings.get("model", "")
    compare.presenter.set_setup(Setup((f"{name}?max_tokens=400", f"{name}?max_tokens=400&seed=3")))
    qtbot.keyClicks(compare.prompt.edit, "a long one")
    qtbot.keyClick(compare.prompt.edit, Qt.Key.Key_Return)
    await until(lambda: all(column.chunks for column in compare.presenter.state.columns))
    compare.stop()
    await until(lambda: not compare.presenter.is_running)
    await settle()
    assert all(column.text for column in compare.presenter.state.columns)
    assert compare.prompt.button.text() == "Compare"


async def test_another_comparison_is_looked_at_while_one_is_answered(
    compare: CompareTab, qtbot: QtBot, application: Application
) -> None:
    await ask(compare, qtbot, "the first")
    first = compare.presenter.state.id
    kept = [column.markdown.text() for column in compare.columns.columns]
    name = application.store.settings.get("model", "")
    compare.presenter.set_setup(Setup(tuple(f"{name}?max_tokens=200&seed={seed}" for seed in range(1, 4))))
    compare.compare("the second")
    await until(lambda: all(column.chunks for column in compare.presenter.state.columns))
    second = compare.presenter.state
    compare.open(first)
    compare.compare("a third, too early")
    assert "Stop it first" in compare.problem.text()
    compare.open(second.id)
    assert compare.presenter.state is second  # not what is kept of it so far: what is being written
    compare.open(first)
    await until(lambda: not compare.presenter.is_running)
    await settle()
    assert [column.markdown.text() for column in compare.columns.columns] == kept
    compare.open(second.id)
    assert [column.state.text for column in compare.columns.columns] == [column.text for column in second.columns]
    assert len(compare.columns.columns) == 3


async def test_a_deleted_comparison_comes_back_with_undo(compare: CompareTab, qtbot: QtBot, window: MainWindow) -> None:
    await ask(compare, qtbot, "hello model")
    key = compare.presenter.state.id
    compare.commands.delete(key)
    await until(lambda: compare.side.model.rowCount() == 0)
    window.toasts.toasts[-1].trigger_action()
    await until(lambda: compare.side.model.rowCount() == 1)
    assert compare.presenter.state.id == key


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, with popups
async def test_members_are_added_duplicated_and_removed(compare: CompareTab) -> None:
    compare.setup_bar.add_button.click()
    assert len(compare.presenter.setup.specs) == 3
    compare.setup_bar.popup.hide()
    compare.setup_bar.edit(0)
    compare.setup_bar.popup.duplicate_button.click()
    assert len(compare.presenter.setup.specs) == 4
    compare.setup_bar.edit(0)
    compare.setup_bar.popup.temperature.setValue(0.5)
    assert "temperature=0.5" in compare.presenter.setup.specs[0]
    compare.setup_bar.popup.remove_button.click()
    assert len(compare.presenter.setup.specs) == 3


async def test_a_batch_runs_and_is_exported(compare: CompareTab, tmp_path: Path) -> None:
    compare.show_batches()
    compare.batch_page.edit.setPlainText("one\n\ntwo\nthree\n")
    assert compare.batch_page.start_button.text() == "Ask 3 prompts"
    compare.batch_page.start_button.click()
    await until(lambda: compare.batches.batches and compare.batches.batches[0].state is BatchState.DONE)
    batch = compare.batches.batches[0]
    assert (batch.prompts, batch.done, batch.failed) == (3, 3, 0)
    assert compare.batch_page.rows[batch.id].state.text().startswith("3 of 3")
    assert await compare.batches.export_to(batch.id, tmp_path / "out.csv") == 3
    compare.stop()
    assert compare.stack.currentWidget() is compare.empty


async def test_a_batch_is_paused_and_goes_on(compare: CompareTab) -> None:
    compare.show_batches()
    compare.batch_page.edit.setPlainText("\n".join(f"prompt {number}" for number in range(12)))
    compare.batch_page.start_button.click()
    await until(lambda: compare.batches.batches and compare.batches.batches[0].done)
    batch_id = compare.batches.batches[0].id
    compare.batch_page.rows[batch_id].pause_button.click()
    await until(lambda: not compare.batches.is_running(batch_id))
    await settle()
    row = compare.batch_page.rows[batch_id]
    assert compare.batches.batches[0].done < 12
    assert row.run_button.isVisible()
    row.run_button.click()
    await until(lambda: compare.batches.batches[0].done == 12)


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, with dialogs
async def test_the_ensemble_is_measured_and_the_verdict_can_be_taken_over(compare: CompareTab, tmp_path: Path) -> None:
    suite = tmp_path / "sums.jsonl"
    suite.write_text(
        "".join(f'{{"prompt": "What is {n} + 1?", "reference": "{n + 1}", "scorer": "number"}}\n' for n in range(24)),
        encoding="utf-8",
    )
    compare.measure()
    dialog = compare.measure_dialog
    assert dialog is not None
    dialog.add_suite(suite)
    dialog.start_button.click()
    await until(lambda: dialog.proof, 60)
    proof = dialog.proof
    assert proof is not None
    assert [item.name for item in proof.methods] == [method.value for method in Method if method is not Method.NONE]
    assert dialog.table.rowCount() == len(proof.members) + len(proof.methods)
    assert proof.best.name in dialog.verdict.text()  # a model of random weights gains nothing
    assert dialog.use_button.isHidden()
    dialog.reject()


@pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, with dialogs
async def test_a_measurement_can_be_stopped(compare: CompareTab) -> None:
    compare.measure()
    dialog = compare.measure_dialog
    assert dialog is not None
    dialog.start_button.click()
    await until(lambda: dialog.bar.value() > 0)
    dialog.start_button.click()
    await until(lambda: dialog.start_button.text() == "Measure")
    assert dialog.proof is None
    dialog.reject()


async def test_a_file_of_prompts_with_a_mistake_names_its_line(compare: CompareTab, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"prompt": "one"}\n{oops\n', encoding="utf-8")
    compare.show_batches()
    compare.batch_page._tasks.start(compare.batches.create_from_file(path), "prompts from a file")
    await until(lambda: compare.batch_page.problem.isVisible())
    assert "line 2" in compare.batch_page.problem.text()
    assert not compare.batches.batches
