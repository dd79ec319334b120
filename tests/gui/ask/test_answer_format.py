"""A form for the answer: chosen beside the chat, checked while it is typed, kept by the model."""

import json

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from codette_desktop.domain.answers import FinishReason
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.widgets.answer_format import ANY_JSON, AnswerFormat
from tests.gui.conftest import until

SCHEMA = '{"type": "object", "properties": {"sure": {"type": "boolean"}}, "required": ["sure"]}'


def choose(field: AnswerFormat, name: str) -> None:
    """As a person does with the arrow keys: `activated` follows."""
    field.choice.setCurrentIndex(field.choice.findText(name))
    field.choice.activated.emit(field.choice.currentIndex())


async def ask(window: MainWindow, qtbot: QtBot, text: str) -> str:
    before = len(window.ask.presenter.nodes)
    qtbot.keyClicks(window.ask.composer.edit, text)
    qtbot.keyClick(window.ask.composer.edit, Qt.Key.Key_Return)
    await until(lambda: not window.ask.presenter.is_answering and len(window.ask.presenter.nodes) >= before + 2)
    generation = window.ask.presenter.nodes[-1].generation
    assert generation is not None
    assert generation.reason is FinishReason.STOP
    return window.ask.presenter.nodes[-1].message.content


async def test_the_answer_follows_the_schema_that_was_typed(window: MainWindow, qtbot: QtBot) -> None:
    window.ask.open_panel("sampling")
    field = window.ask.panel.form.format
    choose(field, "JSON schema")
    assert field.editor.isVisible()
    field.editor.setPlainText(SCHEMA)
    await until(lambda: window.ask.presenter.conversation.sampling.json_schema == SCHEMA)
    assert type(json.loads(await ask(window, qtbot, "are you sure"))["sure"]) is bool
    choose(field, "Grammar (GBNF)")
    field.editor.setPlainText('root ::= "blue" | "green"')
    assert await ask(window, qtbot, "a colour") in ("blue", "green")
    choose(field, "JSON schema")
    assert field.editor.toPlainText() == SCHEMA  # kept while another form was chosen
    choose(field, "Free text")
    await until(lambda: window.ask.presenter.conversation.sampling.json_schema is None)


async def test_what_is_wrong_is_said_under_the_field_and_nothing_typed_is_lost(window: MainWindow) -> None:
    window.ask.open_panel("sampling")
    field = window.ask.panel.form.format
    choose(field, "JSON schema")
    for text, words in (
        ('{"type": ', "not valid JSON"),
        ('{"type": "number", "minimum": 3}', '"minimum"'),
        ("[1]", "not an object"),
    ):
        field.editor.setPlainText(text)
        await until(lambda words=words: words in field.problem.text() and field.problem.isVisible())
        assert field.editor.toPlainText() == text
    field.editor.setPlainText(SCHEMA)
    await until(lambda: not field.problem.isVisible())
    choose(field, "Grammar (GBNF)")
    field.editor.setPlainText("root = yes")
    await until(lambda: "grammar" in field.problem.text().lower())


async def test_the_form_belongs_to_the_chat(window: MainWindow, qtbot: QtBot) -> None:
    window.ask.open_panel("sampling")
    field = window.ask.panel.form.format
    choose(field, "JSON object")
    await until(lambda: window.ask.presenter.conversation.sampling.json_schema == ANY_JSON)
    window.ask.presenter.set_settings(sampling=Sampling(json_schema=ANY_JSON, max_tokens=400))
    window.ask.presenter.new_chat()
    assert field.choice.currentText() == "Free text"
    window.ask.presenter.set_settings(sampling=Sampling(grammar='root ::= "x"'))
    assert field.choice.currentText() == "Grammar (GBNF)"
    assert field.editor.toPlainText() == 'root ::= "x"'
