"""While an answer streams in, what stands above is moved, not painted anew, and the screen shows what it should."""

from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractScrollArea

from codette_desktop.domain.conversations import Conversation, Node
from codette_desktop.domain.messages import Message, Role
from codette_desktop.gui.main_window import MainWindow
from codette_desktop.gui.tabs.ask.state import ChatState, LiveAnswer
from codette_desktop.gui.theme import theme
from tests.gui.conftest import settle

PART = """## Part {n}

A paragraph of some length with **strong** words and `code`, long enough to be more than one line in the window.

```python
for number in range({n}):
    print(number)
```

| run | speed |
|----:|------:|
| {n} | 212.4 |

1. first
2. second

"""


class PaintCounter(QObject):
    """Counts the paint events of one widget."""

    count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def begin(window: MainWindow) -> None:
    now = datetime.now(UTC)
    conversation = Conversation("stream", "Streaming", now, now)
    question = Node("question", "stream", None, Message(Role.USER, "Explain."), now, ("question",))
    window.ask.show_state(ChatState(conversation, (question,), LiveAnswer("stream", "Guide", parent_id="question")))


async def stream(window: MainWindow, first: int, last: int) -> None:
    text = "".join(PART.format(n=number) for number in range(first, last))
    for at in range(0, len(text), 12):
        window.ask.answer_grew(text[at : at + 12])
        await settle(0.004)
    await settle(0.1)


@pytest.mark.parametrize("mode", ["light", "dark"])
async def test_only_what_is_new_is_painted_and_nothing_stale_is_left(scripted_window: MainWindow, mode: str) -> None:
    window = scripted_window
    window.resize(1000, 700)
    theme().set_mode(mode)  # type: ignore[arg-type]
    begin(window)
    await stream(window, 1, 4)
    messages = window.ask.messages
    bar = messages.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    live = messages.live_card
    assert live is not None
    leaves = live.markdown.leaves()
    visible = [leaf for leaf in leaves if not leaf.visibleRegion().isEmpty()]
    above = visible[1]  # whole in view, to be pushed upwards, and complete
    assert isinstance(above, QAbstractScrollArea)
    counter = PaintCounter()
    above.viewport().installEventFilter(counter)
    before = bar.value()
    await stream(window, 4, 5)
    assert bar.value() - before > 100  # it has scrolled, many times
    assert counter.count == 0
    shown = QGuiApplication.primaryScreen().grabWindow(window.winId()).toImage()
    window.repaint()
    window.update()
    await settle(0.1)
    anew = window.grab().toImage().convertToFormat(shown.format())
    viewport = messages.viewport()
    corner = viewport.mapTo(window, viewport.rect().topLeft())
    area = viewport.rect().translated(corner)
    assert shown.copy(area) == anew.copy(area)
