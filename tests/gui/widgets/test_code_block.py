"""Code blocks."""

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication

from codette_desktop.gui.theme import DARK, LIGHT, ThemeManager
from codette_desktop.gui.widgets import CodeBlock
from codette_desktop.gui.widgets.lexers import canonical, language_name


@pytest.fixture
def theme(qapp: QApplication) -> ThemeManager:
    return ThemeManager(qapp, mode="light")


@pytest.fixture
def block(theme: ThemeManager) -> Iterator[CodeBlock]:
    made = CodeBlock()
    made.resize(500, 200)
    yield made
    made.finish_colours()
    made.deleteLater()


def colours(block: CodeBlock, line: int = 0) -> dict[str, str]:
    """The text and colour of each coloured run of a line."""
    shown = block.leaf.document().findBlockByNumber(line)
    text = shown.text().encode("utf-16-le")  # Qt counts in these units
    found: dict[str, str] = {}
    for run in shown.layout().formats():
        part = text[2 * run.start : 2 * (run.start + run.length)].decode("utf-16-le")  # type: ignore[attr-defined]
        found[part] = run.format.foreground().color().name()  # type: ignore[attr-defined]
    return found


def test_python_is_coloured_in_the_mode_in_force(block: CodeBlock, theme: ThemeManager) -> None:
    block.set_code("python", "def f():\n    return 'x'  # why")
    block.finish_colours()
    assert colours(block)["def"] == LIGHT.syntax.keyword
    assert colours(block, 1)["# why"] == LIGHT.syntax.comment
    theme.set_mode("dark")
    block.restyle()
    assert colours(block)["def"] == QColor(DARK.syntax.keyword).name()


def test_streamed_code_is_coloured_as_whole_code(block: CodeBlock) -> None:
    code = 'x = """a\nb"""\nfor y in x:\n    print("é🎉", y)\n'
    for character in code:
        block.append_code(character)
    block.set_code("python", code)
    block.finish_colours()
    assert block.code() == code
    assert colours(block, 1)['b"""'] == LIGHT.syntax.string
    assert colours(block, 3)["print"] == LIGHT.syntax.type
    assert colours(block, 3)['"é🎉"'] == LIGHT.syntax.string


def test_unknown_languages_stay_plain(block: CodeBlock) -> None:
    block.set_code("no-such-language", "x = 1")
    block.finish_colours()
    assert colours(block) == {}


def test_the_copy_button_copies_all_and_says_so(block: CodeBlock) -> None:
    block.set_code("sh", "ls -l\npwd")
    block.finish_colours()
    block.copy_button.click()
    assert QGuiApplication.clipboard().text() == "ls -l\npwd"
    assert block.copy_button.text() == "Copied"
    block._copied.timeout.emit()
    block._copied.stop()
    assert block.copy_button.text() == "Copy"


def test_long_lines_scroll_sideways_within_the_height_asked_for(block: CodeBlock, qapp: QApplication) -> None:
    block.set_code("", "x" * 400)
    block.setFixedHeight(block.height_for(500))
    block.show()
    qapp.processEvents()
    assert block.leaf.horizontalScrollBar().maximum() > 0
    assert block.leaf.verticalScrollBar().maximum() == 0
    block.hide()


def test_languages_are_called_by_their_names() -> None:
    assert language_name("py") == "Python"
    assert language_name("c++") == "C++"
    assert language_name("js") == "JavaScript"
    assert language_name("my-own") == "my-own"
    assert canonical("{.python}") == "python"
