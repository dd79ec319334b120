"""The answer view on real Qt documents."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from codette_desktop.gui.theme import ThemeManager
from codette_desktop.gui.widgets import CodeBlock, MarkdownView, ScrollColumn, frame_flusher
from codette_desktop.gui.widgets.markdown.leaf_edit import LeafEdit
from codette_desktop.gui.widgets.markdown.math_images import math_images
from codette_desktop.gui.widgets.markdown.segments import TableSegment, TextSegment
from tests.gui.widgets.test_markdown_parts import MARKDOWN

SAMPLE = """# Title

Some **bold** text with `code`, a [link](https://example.org/x) and $x^2$.

1. one
   ```python
   print(1)
   ```
2. two

| a | b |
|---|--:|
| 1 | 2 |

```js
const x = 1
```

> quote
"""


@pytest.fixture
def theme(qapp: QApplication) -> ThemeManager:
    return ThemeManager(qapp, mode="light")


@pytest.fixture
def make(theme: ThemeManager, qapp: QApplication) -> Iterator[Callable[[], MarkdownView]]:
    made: list[MarkdownView] = []

    def new() -> MarkdownView:
        view = MarkdownView()
        view.resize(700, 10)
        made.append(view)
        return view

    yield new
    for view in made:
        view.clear()
        view.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def view(make: Callable[[], MarkdownView]) -> MarkdownView:
    return make()


def picture(view: MarkdownView) -> QImage:
    return view.grab().toImage()


def content(view: MarkdownView) -> list[Any]:
    """What the parts hold, in order, to be compared."""
    result: list[Any] = []
    for segment in view._segments:
        if isinstance(segment, CodeBlock):
            result.append((segment.language, segment.code(), segment.indent))
        elif isinstance(segment, TableSegment):
            result.append((segment.table, segment.indent))
        elif isinstance(segment, TextSegment):
            result.append((segment.blocks, segment.toPlainText()))
    return result


def stream(view: MarkdownView, text: str, cuts: list[int]) -> None:
    edges = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    for start, end in pairwise(edges):
        view.append(text[start:end])
        view._on_frame()
    view.finish()
    view.flush()


@given(text=MARKDOWN, cuts=st.lists(st.integers(0, 10_000), max_size=20))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_streaming_gives_the_same_as_the_whole_text(
    make: Callable[[], MarkdownView], text: str, cuts: list[int]
) -> None:
    streamed, whole = make(), make()
    whole.set_markdown(text)
    whole.flush()
    stream(streamed, text, cuts)
    assert content(streamed) == content(whole)
    assert streamed.height() == whole.height()


def test_the_picture_of_a_streamed_answer_is_that_of_the_whole(make: Callable[[], MarkdownView]) -> None:
    streamed, whole = make(), make()
    whole.set_markdown(SAMPLE)
    whole.flush()
    stream(streamed, SAMPLE, list(range(0, len(SAMPLE), 5)))
    for _ in range(400):  # the first formula and the first code of a language load what they need in a thread
        if picture(streamed) == picture(whole):
            break
        QTest.qWait(25)
    assert picture(streamed) == picture(whole)


def test_the_open_tail_is_to_be_seen(view: MarkdownView) -> None:
    view.append("A first paragraph.\n\nA second with **bo")
    view.flush()
    assert [segment.leaf.toPlainText() for segment in view._tail] == ["A second with bo"]
    view.append("\n\n```python\nx = 1\ny")
    view.flush()
    (block,) = view._tail
    assert isinstance(block, CodeBlock)
    assert (block.language, block.code()) == ("python", "x = 1\ny")


def test_an_unclosed_fence_keeps_its_code_at_the_end(view: MarkdownView) -> None:
    view.append("```python\nx = 1\n")
    view.finish()
    view.flush()
    assert content(view) == [("python", "x = 1", 0)]


def test_text_is_returned_as_given_with_unfit_characters_replaced(view: MarkdownView) -> None:
    view.append("a\r")
    view.append("\nb\x00c\ud800d\u2029")
    view.flush()
    assert view.text() == "a\nb\ufffdc\ufffdd\ufffd"


@pytest.mark.parametrize(
    "hostile",
    [
        "```" * 1_001,
        "> " * 3_000 + "x",
        "- " * 2_000 + "x",
        "\x00\ud800\udfff\ufdd0\ufffc",
        "[" * 3_000,
        "a" * 100_000,
        "|" + "a|" * 10_000 + "\n|" + "-|" * 10_000 + "\n",
        "\u202e\u0301" * 500,
        "<table><tr><td>" * 500,
        "$\\frac{" * 200,
        "$$" + "{" * 900 + "$$",
        "a\u2028b\u0085c",
        "🎉" * 2_000,
        "```\n" + "x" * 50_000,
    ],
    ids=range(14),
)
def test_hostile_text_is_shown_and_nothing_breaks(view: MarkdownView, hostile: str) -> None:
    for start in range(0, len(hostile), 20_000):
        view.append(hostile[start : start + 20_000])
        view._on_frame()
    view.finish()
    view.flush()
    picture(view)
    assert view.height() > 0


def test_no_image_or_style_is_loaded(view: MarkdownView, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = LeafEdit.loadResource

    def spy(self: LeafEdit, kind: int, name: QUrl) -> Any:
        asked.append(name.toString())
        return original(self, kind, name)

    monkeypatch.setattr(LeafEdit, "loadResource", spy)
    view.set_markdown("![a](https://x.y/a.png) ![b](file:///etc/passwd)\n\n<img src='https://x.y/b.png'>\n")
    view.flush()
    picture(view)
    assert asked == []
    html = view.leaves()[0].toHtml()
    assert "<img" not in html
    assert "Image not loaded: a" in view.leaves()[0].toPlainText()
    leaf = view.leaves()[0]
    for kind in (QTextDocument.ResourceType.ImageResource, QTextDocument.ResourceType.StyleSheetResource):
        assert leaf.loadResource(kind.value, QUrl("file:///etc/passwd")) is None


def test_raw_html_stays_text(view: MarkdownView) -> None:
    view.set_markdown("<script>alert(1)</script> <b>x</b> &lt;i&gt;")
    view.flush()
    assert view.leaves()[0].toPlainText() == "<script>alert(1)</script> <b>x</b> <i>"


def test_a_click_on_a_link_is_told_and_opens_nothing(
    view: MarkdownView, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PySide6.QtGui import QDesktopServices

    opened: list[Any] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    heard: list[str] = []
    view.link_activated.connect(heard.append)
    view.set_markdown("[link](https://example.org/x)")
    view.flush()
    view.show()
    qapp.processEvents()
    leaf = view.leaves()[0]
    QTest.mouseClick(leaf.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(10, 10))
    assert heard == ["https://example.org/x"]
    assert opened == []
    assert leaf.toPlainText() == "link"


def test_height_follows_width_and_there_is_no_inner_scrolling(view: MarkdownView, qapp: QApplication) -> None:
    view.set_markdown("many words " * 200)
    view.flush()
    view.show()
    qapp.processEvents()
    wide = view.height()
    view.resize(300, view.height())
    qapp.processEvents()
    assert view.height() > 1.8 * wide
    leaf = view.leaves()[0]
    assert leaf.verticalScrollBar().maximum() == 0
    view.resize(700, view.height())
    qapp.processEvents()
    assert view.height() == wide


def test_width_is_limited(view: MarkdownView, theme: ThemeManager) -> None:
    assert view.maximumWidth() == 760
    theme.set_zoom(150)
    assert view.maximumWidth() == 1140


def test_theme_and_zoom_restyle_what_is_shown(make: Callable[[], MarkdownView], theme: ThemeManager) -> None:
    view = make()
    view.set_markdown(SAMPLE)
    view.flush()
    light, height = picture(view), view.height()
    theme.set_mode("dark")
    view.flush()
    assert picture(view) != light
    theme.set_zoom(150)
    view.flush()
    assert view.height() > 1.3 * height
    fresh = make()
    fresh.set_markdown(SAMPLE)
    fresh.flush()
    assert picture(fresh) == picture(view)
    theme.set_zoom(100)
    theme.set_mode("light")
    view.flush()
    assert view.height() == height
    assert picture(view) == light


def test_math_is_drawn_and_malformed_math_is_shown_as_written(view: MarkdownView) -> None:
    view.set_markdown("good $\\frac{a}{b}$ and bad $\\frac{a$ end")
    view.flush()
    text = view.leaves()[0].toPlainText()
    assert text.count("\ufffc") == 1
    assert "$\\frac{a$" in text


def test_math_shows_its_source_until_the_library_is_loaded(view: MarkdownView, monkeypatch: pytest.MonkeyPatch) -> None:
    images = math_images()
    images.load_now()
    module = images._module
    monkeypatch.setattr(images, "_module", None)
    monkeypatch.setattr(images, "load_later", lambda: None)
    view.set_markdown("so $x^2$")
    assert view.leaves()[0].toPlainText() == "so $x^2$"
    monkeypatch.setattr(images, "_module", module)
    view._on_math_loaded()
    assert view.leaves()[0].toPlainText() == "so \ufffc"


def test_copy_takes_marks_formulas_and_several_boxes(view: MarkdownView) -> None:
    view.set_markdown("1. one $x^2$\n2. two\n   - [x] sub\n\n```py\ncode\n```\n\nend")
    view.flush()
    view.select_all()
    assert view.has_selection()
    view.copy()
    assert QGuiApplication.clipboard().text() == "1. one $x^2$\n2. two\n  [x] sub\n\ncode\n\nend"
    view.clear_selection()
    view.copy()
    assert QGuiApplication.clipboard().text() == view.text()


def test_keys_copy_and_select_over_all_boxes(view: MarkdownView, qapp: QApplication) -> None:
    view.set_markdown("one\n\n```\ntwo\n```\n")
    view.flush()
    view.show()
    leaf = view.leaves()[0]
    leaf.setFocus()
    QTest.keyClick(leaf, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(leaf, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "one\n\ntwo"


def test_a_drag_goes_on_in_the_next_box(view: MarkdownView, qapp: QApplication) -> None:
    view.set_markdown("first text\n\n```\ncode\n```\n\nlast text")
    view.flush()
    view.show()
    qapp.processEvents()
    first, code, last = view.leaves()
    QTest.mousePress(first.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(0, 8))
    first.dragged.emit(last.viewport().mapToGlobal(QPoint(2_000, 8)))
    assert view.selected_text() == "first text\n\ncode\n\nlast text"
    first.dragged.emit(code.viewport().mapToGlobal(QPoint(2_000, 4)))
    assert view.selected_text() == "first text\n\ncode"
    QTest.mouseRelease(first.viewport(), Qt.MouseButton.LeftButton)


def test_words_are_highlighted_and_the_marks_go_away(view: MarkdownView) -> None:
    view.set_markdown("alpha beta Alpha\n\n```\nalpha\n```\n")
    view.flush()
    view.set_highlight(["alpha"])
    assert [len(leaf.extraSelections()) for leaf in view.leaves()] == [2, 1]
    view.set_highlight([])
    assert [len(leaf.extraSelections()) for leaf in view.leaves()] == [0, 0]


def test_a_huge_answer_comes_in_slices(view: MarkdownView) -> None:
    text = "A paragraph with **bold** and `code` in it, of a usual length for an answer.\n\n" * 1_300
    assert len(text) > 100_000
    view.set_markdown(text)
    assert frame_flusher().pending
    assert 0 < _text_blocks(view) < 1_300
    view.flush()
    assert _text_blocks(view) == 1_300


def _text_blocks(view: MarkdownView) -> int:
    return sum(len(segment.blocks) for segment in view._segments if isinstance(segment, TextSegment))


def test_right_to_left_text_starts_at_the_right(view: MarkdownView) -> None:
    view.set_markdown("مرحبا بالعالم")
    view.flush()
    block = view.leaves()[0].document().firstBlock()
    assert block.textDirection() == Qt.LayoutDirection.RightToLeft


def test_parts_have_accessible_names(view: MarkdownView) -> None:
    view.set_markdown(SAMPLE)
    view.flush()
    assert view.accessibleName()
    assert all(leaf.accessibleName() for leaf in view.leaves())
    for block in view.findChildren(CodeBlock):
        assert block.copy_button.accessibleName()
        assert block.copy_button.toolTip()


def test_a_growing_answer_is_followed_until_one_scrolls_up(theme: ThemeManager, qapp: QApplication) -> None:
    page = ScrollColumn(follow=True)
    view = MarkdownView()
    page.column.addWidget(view)
    page.resize(500, 300)
    page.show()
    page.follow()
    bar = page.verticalScrollBar()
    view.append("line\n\n" * 60)
    view.flush()
    for _ in range(5):
        qapp.processEvents()
    assert bar.maximum() > 0
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    assert not page.following
    view.append("line\n\n" * 10)
    view.flush()
    for _ in range(5):
        qapp.processEvents()
    assert bar.value() == 0
    page.close()
    page.deleteLater()
