"""Auto in the picker, whom it would ask before anything is sent, and what one sees when a model fails."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from codette_desktop.application import FALLBACK_SETTING, Application
from codette_desktop.domain.models import AUTO
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.servers import Server, ServerKind
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.model_picker import EntryRole
from tests.gui.ask.test_asking import answers, ask, node_of
from tests.gui.conftest import until
from tests.support.http_server import Exchange, serve

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # the offscreen one, with popups and dialogs
GREEDY = Sampling(temperature=0.0, max_tokens=20)


def choose_auto(window: MainWindow, qtbot: QtBot) -> None:
    """Open the picker and take what stands first."""
    window.picker.open()
    popup = window.picker.popup
    entry = popup.list.model().index(0, 0).data(EntryRole)
    assert entry.title == "Auto"
    popup.list.setCurrentIndex(popup.list.model().index(0, 0))
    qtbot.keyClick(popup.list, Qt.Key.Key_Return)


async def test_auto_says_whom_it_would_ask_and_asks_that_one(window: MainWindow, qtbot: QtBot) -> None:
    choose_auto(window, qtbot)
    assert window.picker.text() == "Auto"
    assert window.status.model.text() == "Auto"
    assert window.status.device.isHidden()  # it is not a model that could be loaded
    assert window.ask.presenter.conversation.model == AUTO
    assert "each question" in window.ask.empty.subtitle.text()
    window.ask.presenter.set_settings(sampling=GREEDY)
    line = window.ask.composer.plan_line
    assert line.isHidden()
    qtbot.keyClicks(window.ask.composer.edit, "How do I compare two models?")
    await until(line.isVisible)
    text = line.label.text()
    assert text.startswith("Auto would ask ")
    assert "has not answered here yet" in text
    assert "1. " in line.label.toolTip()
    told = text.removeprefix("Auto would ask ").split(" (")[0]
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await until(lambda: not window.ask.presenter.is_busy and len(window.ask.presenter.nodes) == 2)
    generation = node_of(answers(window)[0]).generation
    assert generation is not None
    assert generation.model_label == told
    assert answers(window)[0].speaker.text() == told.split(" · ")[0]
    assert line.isHidden()


async def test_new_chats_may_begin_with_auto(window: MainWindow, application: Application, qtbot: QtBot) -> None:
    choose_auto(window, qtbot)
    await until(lambda: application.catalogue.default_name() == AUTO)
    window.new_chat()
    assert window.ask.presenter.conversation.model == AUTO
    assert application.catalogue.default_name() == AUTO
    window.open_settings()
    assert window.settings_dialog.models.model_box.currentText().startswith("Auto")
    window.settings_dialog.models.fallback_box.setChecked(False)
    await until(lambda: not application.policy().fallback)
    window.settings_dialog.close()


async def test_a_server_that_breaks_off_gives_way_to_a_model_here_and_the_answer_says_so(
    window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    held = asyncio.Event()

    async def breaks(exchange: Exchange) -> None:
        if exchange.path == "/v1/models":
            await exchange.json({"data": [{"id": "m", "max_model_len": 4096, "owned_by": "vllm"}]})
        elif exchange.path == "/v1/chat/completions":
            await exchange.begin("text/event-stream")
            await exchange.chunk('data: {"choices": [{"delta": {"content": "Half an answer"}}]}\n\n')
            await held.wait()
            exchange.reset()
        else:
            await exchange.text("", 404)

    async with serve(breaks) as served:
        await application.servers.add(Server.checked("shed", served.url, ServerKind.OPENAI))
        await application.servers.refresh()
        window.choice.refresh()
        window.use_model("shed/m")
        window.ask.presenter.set_settings(sampling=GREEDY)
        qtbot.keyClicks(window.ask.composer.edit, "How do I compare two models?")
        qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
        messages = window.ask.messages
        await until(lambda: messages.live_card is not None and "Half" in messages.live_card.markdown.text())
        held.set()
        await until(lambda: not window.ask.presenter.is_busy and len(window.ask.presenter.nodes) == 2)
    [card] = answers(window)
    assert "Half an answer" not in card.markdown.text()
    assert "shed" in card.left_out.text()
    assert "answered instead" in card.left_out.text()
    assert card.left_out.textFormat() is Qt.TextFormat.PlainText  # a server may call a model <b>x</b>
    assert card.left_out.isVisible()
    generation = node_of(card).generation
    assert generation is not None
    assert generation.model != "shed/m"
    assert card.speaker.text() == generation.model_label.split(" · ")[0]


async def test_without_another_model_the_error_stands_where_the_answer_would(
    window: MainWindow, application: Application, qtbot: QtBot
) -> None:
    await asyncio.wrap_future(application.store.settings.set(FALLBACK_SETTING, False))
    await application.servers.add(Server.checked("nowhere", "http://127.0.0.1:9", ServerKind.OPENAI))
    window.use_model("nowhere/m")
    await ask(window, qtbot, "hello")
    assert "nowhere" in answers(window)[0].reason.text()
