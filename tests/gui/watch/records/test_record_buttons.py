"""The way from an answer in a chat or a comparison to its record, and messages that slide in."""

import time

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.ask.answer_card import AnswerCard
from codette_desktop.gui.tabs.watch.flights.flight_dialog import FlightDialog
from codette_desktop.gui.widgets import MarkdownView, ToastHost
from codette_desktop.gui.widgets.markdown.segments import TableSegment
from tests.gui.conftest import settle, until
from tests.support import watch_records as made


@pytest.mark.asyncio
async def test_an_answer_of_a_chat_leads_to_its_record(scripted_window: MainWindow, qtbot: QtBot) -> None:
    ask = scripted_window.ask
    ask.presenter.send("Why is it slow?")
    await until(lambda: len(ask.presenter.nodes) == 2 and not ask.presenter.is_answering)
    card = ask.messages.cards[-1]
    assert isinstance(card, AnswerCard)
    assert card.record_button.isVisible()
    generation = ask.presenter.nodes[-1].generation
    assert generation is not None
    with qtbot.waitSignal(ask.record_wanted, timeout=1000) as told:
        card.record_button.click()
    assert told.args == [generation.id]


@pytest.mark.asyncio
async def test_an_answer_of_a_comparison_leads_to_its_record(window: MainWindow, qtbot: QtBot) -> None:
    compare = window.compare
    window.show_tab("compare")
    compare.compare("What is a model?")
    await until(lambda: compare.presenter.state.columns and not compare.presenter.is_running)
    column = compare.columns.columns[0]
    assert column.record_button.isVisible()
    assert not column.card.record_button.isVisible()
    node = compare.presenter.state.columns[0].node
    assert node is not None
    assert node.generation is not None
    with qtbot.waitSignal(compare.record_wanted, timeout=1000) as told:
        column.record_button.click()
    assert told.args == [node.generation.id]


@pytest.mark.asyncio
async def test_a_message_slides_in_and_stays_where_it_belongs(host: QWidget, toasts: ToastHost) -> None:
    toast = toasts.show_toast("Memory nearly full", "warning", slide=True)
    place = toast._slide.endValue()
    assert toast.x() >= host.width() - 1  # it begins outside
    host.resize(900, 700)  # while it moves
    await until(lambda: toast.pos() == toast._slide.endValue())
    assert toast.pos() != place
    assert toast.geometry().right() < 900
    other = toasts.show_toast("Another", slide=True)
    other.dismiss()
    await settle()
    assert toasts.toasts == (toast,)
    toasts.dismiss_all()


@pytest.mark.asyncio
async def test_a_wide_table_is_seen_from_its_start(host: QWidget) -> None:
    view = MarkdownView(host)
    view.resize(400, 300)
    row = "| " + " | ".join("a rather wide cell" for _ in range(12)) + " |"
    view.set_markdown(f"{row}\n|{'---|' * 12}\n{row}\n")
    view.show()
    await settle(0.2)
    table = view.findChild(TableSegment)
    assert table is not None
    assert table.horizontalScrollBar().maximum() > 0
    assert table.horizontalScrollBar().value() == 0


@pytest.mark.asyncio
async def test_a_record_that_is_being_read_ends_with_its_window(kept: made.KeptApplication) -> None:
    generation = made.answer(kept.store, time.time() - 5)
    window = QWidget()
    window.show()
    dialog = FlightDialog(kept, (generation,), window)  # type: ignore[arg-type]
    dialog.open()
    tasks = dialog.page.tasks
    assert len(tasks) == 1
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    await until(lambda: not len(tasks))  # an error would be logged, which fails a test
