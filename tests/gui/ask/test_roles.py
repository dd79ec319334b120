"""Roles in the chat's settings: chosen, changed by hand, taken back."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from codette_desktop.application import Application
from codette_desktop.configuration.shipped import shipped_roles
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.ask.chat_panel import ChatPanel
from codette_desktop.gui.tabs.ask.role_box import RoleBox
from codette_desktop.gui.tabs.ask.role_commands import merged
from tests.gui.ask.test_asking import ask
from tests.gui.conftest import settle, until

FILE = """\
models:
  writer: {model: guide-m-q8_0}
roles:
  reviewer:
    title: Reviewer
    description: Reads a text and says what to change.
    prompt: You name three changes.
    model: writer
    sampling: {temperature: 0.25, max_tokens: 9}
  devops-specialist: {title: Night watch}
  stray: {prompt: You are lost., model: not-here}
"""


@pytest.fixture
def file(application: Application) -> Path:
    path = application.configuration.path
    write(application, FILE)
    return path


def write(application: Application, text: str) -> None:
    application.configuration.path.write_text(text)
    application.configuration.reload()


def panel(window: MainWindow) -> ChatPanel:
    window.ask.open_panel("system")
    return window.ask.panel


def choose(box: RoleBox, name: str) -> None:
    """As a person chooses in the list."""
    at = box.findData(name)
    assert at >= 0
    box.setCurrentIndex(at)
    box.activated.emit(at)


def texts(box: RoleBox) -> list[str]:
    return [box.itemText(at) for at in range(box.count())]


async def test_all_roles_are_offered_with_what_they_are_for(file: Path, scripted_window: MainWindow) -> None:
    box = panel(scripted_window).role_box
    assert texts(box) == [
        "None",
        "Application architect",
        "Compliance auditor",
        "Night watch",
        "Performance engineer",
        "Security architect",
        "Reviewer",
        "stray",
    ]
    tip = box.itemData(box.findData("reviewer"), Qt.ItemDataRole.ToolTipRole)
    assert tip == "Reads a text and says what to change."
    assert box.accessibleName() == "Role"


async def test_a_role_gives_its_prompt_which_may_then_be_changed(scripted_window: MainWindow, qtbot: QtBot) -> None:
    shown = panel(scripted_window)
    composer = scripted_window.ask.composer
    choose(shown.role_box, "security-architect")
    role = shipped_roles()["security-architect"]
    assert scripted_window.ask.presenter.conversation.system_prompt == role.prompt
    assert shown.system_prompt.toPlainText() == role.prompt
    assert composer.system_button.text() == "Security architect"
    assert composer.system_button.accessibleName() == "Role: Security architect"
    assert scripted_window.toasts.toasts == ()  # nothing was lost, so there is nothing to take back
    qtbot.keyClicks(shown.system_prompt, "Be short. ")
    assert shown.role_box.currentText() == "Own text"
    shown.flush()
    assert composer.system_button.text() == "System prompt: on"
    shown.system_prompt.setPlainText("")
    assert shown.role_box.currentText() == "None"
    assert "Own text" not in texts(shown.role_box)
    await ask(scripted_window, qtbot, "hello")


async def test_ones_own_text_can_be_had_back(scripted_window: MainWindow, qtbot: QtBot) -> None:
    shown = panel(scripted_window)
    qtbot.keyClicks(shown.system_prompt, "My own words.")  # not told yet: the pause has not passed
    choose(shown.role_box, "security-architect")
    [toast] = scripted_window.toasts.toasts
    toast.trigger_action()
    assert scripted_window.ask.presenter.conversation.system_prompt == "My own words."
    assert shown.system_prompt.toPlainText() == "My own words."
    assert shown.role_box.currentText() == "Own text"
    choose(shown.role_box, "")
    assert shown.system_prompt.toPlainText() == ""
    scripted_window.toasts.toasts[-1].trigger_action()
    assert shown.system_prompt.toPlainText() == "My own words."


async def test_a_role_sets_its_model_and_sampling_and_says_so(
    file: Path, scripted_window: MainWindow, application: Application
) -> None:
    shown, presenter = panel(scripted_window), scripted_window.ask.presenter
    presenter.set_settings(sampling=Sampling(temperature=1.1, top_k=7))
    before = presenter.conversation
    choose(shown.role_box, "reviewer")
    now = presenter.conversation
    assert (now.model, now.system_prompt) == ("writer", "You name three changes.")
    assert now.sampling == Sampling(temperature=0.25, max_tokens=9, top_k=7)
    assert scripted_window.picker.text() == "writer (Guide M · Q8_0)"
    [toast] = scripted_window.toasts.toasts
    assert toast.text == "Reviewer: asked of writer, temperature 0.25, max tokens 9."
    toast.trigger_action()
    now = presenter.conversation
    assert (now.model, now.system_prompt, now.sampling) == (before.model, "", before.sampling)


async def test_a_model_that_is_not_there_is_told_and_the_chat_keeps_its_own(
    file: Path, scripted_window: MainWindow
) -> None:
    shown, presenter = panel(scripted_window), scripted_window.ask.presenter
    before = presenter.conversation.model
    choose(shown.role_box, "stray")
    assert presenter.conversation.system_prompt == "You are lost."
    assert presenter.conversation.model == before
    assert "not-here" in scripted_window.toasts.toasts[0].text


async def test_what_was_taken_back_belongs_to_its_own_chat(
    scripted_window: MainWindow, qtbot: QtBot, application: Application
) -> None:
    presenter = scripted_window.ask.presenter
    presenter.set_settings(system_prompt="My own words.")
    await ask(scripted_window, qtbot, "hello")
    first = presenter.conversation.id
    choose(panel(scripted_window).role_box, "security-architect")
    scripted_window.new_chat()
    scripted_window.toasts.toasts[-1].trigger_action()
    assert presenter.conversation.id == first
    assert presenter.conversation.system_prompt == "My own words."
    await until(lambda: application.store.conversations.get(first).system_prompt == "My own words.")  # type: ignore[union-attr]


async def test_roles_follow_the_file(file: Path, scripted_window: MainWindow, application: Application) -> None:
    shown = panel(scripted_window)
    choose(shown.role_box, "reviewer")
    write(application, FILE.replace("name three changes.", "name four changes.").replace("Night watch", "Dawn"))
    await until(lambda: "Dawn" in texts(shown.role_box))
    assert shown.role_box.currentText() == "Own text"  # the chat keeps the prompt it began with
    assert scripted_window.ask.composer.system_button.text() == "System prompt: on"
    await settle()


def test_a_form_of_the_answer_replaces_another() -> None:
    found = merged(Sampling(grammar='root ::= "a"', top_k=3), {"json_schema": "{}"})
    assert found == Sampling(json_schema="{}", top_k=3)
