"""Dialogs as coroutines on Qt's loop."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QWidget

from codette_desktop.gui.theme import ThemeManager
from codette_desktop.gui.widgets import dialogs, file_dialogs


@pytest.fixture
def parent(qapp: QApplication) -> QWidget:
    ThemeManager(qapp, mode="light")
    return QWidget()


async def dialog_shown() -> QDialog:
    for _ in range(500):
        shown = [each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog) and each.isVisible()]
        if shown:
            return shown[0]
        await asyncio.sleep(0.01)
    raise AssertionError("no dialog opened")


async def answered(question: Callable[[], object], act: Callable[[QDialog], object]) -> object:
    task = asyncio.ensure_future(question())  # type: ignore[arg-type]
    dialog = await dialog_shown()
    act(dialog)
    return await asyncio.wait_for(task, 5)


def press(text: str) -> Callable[[QDialog], object]:
    def act(dialog: QDialog) -> None:
        assert isinstance(dialog, dialogs.MessageDialog)
        next(button for button in dialog.buttons.buttons() if button.text() == text).click()

    return act


async def test_ask_answers_yes_and_no(parent: QWidget) -> None:
    assert await answered(lambda: dialogs.ask(parent, "Sure?", "Text", accept="Go"), press("Go")) is True
    assert await answered(lambda: dialogs.ask(parent, "Sure?", "Text"), press("Cancel")) is False
    escape = await answered(lambda: dialogs.ask(parent, "Sure?", ""), lambda d: QTest.keyClick(d, Qt.Key.Key_Escape))
    assert escape is False


async def test_other_tasks_run_while_a_dialog_is_open(parent: QWidget) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.ensure_future(tick())
    question = asyncio.ensure_future(dialogs.ask(parent, "Sure?", ""))
    dialog = await dialog_shown()
    before = ticks
    await asyncio.sleep(0.1)
    assert ticks > before
    dialog.reject()
    assert await question is False
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)


async def test_a_cancelled_question_closes_its_dialog(parent: QWidget) -> None:
    question = asyncio.ensure_future(dialogs.ask(parent, "Sure?", ""))
    await dialog_shown()
    question.cancel()
    await asyncio.gather(question, return_exceptions=True)
    assert question.cancelled()
    assert not any(each.isVisible() for each in QApplication.topLevelWidgets() if isinstance(each, QDialog))


async def test_enter_does_not_destroy(parent: QWidget) -> None:
    def enter(dialog: QDialog) -> None:
        QTest.keyClick(dialog, Qt.Key.Key_Return)
        if dialog.isVisible():
            dialog.reject()

    assert await answered(lambda: dialogs.ask(parent, "Delete?", "", accept="Delete", danger=True), enter) is False


async def test_choose_and_prompt(parent: QWidget) -> None:
    choices = [("keep", "Keep"), ("drop", "Drop")]
    assert await answered(lambda: dialogs.choose(parent, "Which?", "", choices), press("Drop")) == "drop"
    assert await answered(lambda: dialogs.choose(parent, "Which?", "", choices), press("Cancel")) is None

    def write(dialog: QDialog) -> None:
        field = dialog.findChild(QLineEdit)
        assert isinstance(field, QLineEdit)
        assert field.text() == "old"
        field.setText("new")
        QTest.keyClick(field, Qt.Key.Key_Return)

    assert await answered(lambda: dialogs.prompt_text(parent, "Rename", "Name", "old"), write) == "new"
    assert await answered(lambda: dialogs.prompt_text(parent, "R", "N", "x", multiline=True), press("OK")) == "x"
    assert await answered(lambda: dialogs.prompt_text(parent, "R", "N"), press("Cancel")) is None
    assert await answered(lambda: dialogs.tell(parent, "Note", "Text"), press("OK")) is None


async def test_links_are_shown_before_they_are_opened(parent: QWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(dialogs.QDesktopServices, "openUrl", lambda url: opened.append(url.toString()) or True)
    seen: list[str] = []

    def refuse(dialog: QDialog) -> None:
        assert isinstance(dialog, dialogs.MessageDialog)
        seen.append(dialog.text_label.text())
        dialog.reject()

    url = "https://example.org/x"
    assert await answered(lambda: dialogs.ask_to_open(parent, url), refuse) is False
    assert url in seen[0]
    assert await answered(lambda: dialogs.ask_to_open(parent, url), press("Open in browser")) is True
    assert opened == [url]


async def test_files_are_picked(parent: QWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = tmp_path / "chat.json"
    chosen.write_text("{}")
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    monkeypatch.setattr(QFileDialog, "selectedFiles", lambda _self: [str(chosen)])

    def accept(dialog: QDialog) -> None:
        dialog.done(int(QDialog.DialogCode.Accepted))

    folder = str(tmp_path)
    assert (
        await answered(lambda: file_dialogs.pick_open_file(parent, "Open", "JSON (*.json)", folder), accept) == chosen
    )
    assert await answered(lambda: file_dialogs.pick_open_files(parent, "Open", "", folder), accept) == [chosen]
    save = await answered(lambda: file_dialogs.pick_save_file(parent, "Save", "JSON (*.json)", str(chosen)), accept)
    assert save == chosen
    assert await answered(lambda: file_dialogs.pick_folder(parent, "Folder", folder), accept) == chosen
    assert await answered(lambda: file_dialogs.pick_open_file(parent, "Open"), lambda d: d.reject()) is None
