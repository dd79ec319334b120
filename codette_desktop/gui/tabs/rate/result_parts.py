"""What the result pages are made of: cards with a heading, lines of notes, figures with their word, chart rows."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.rate.board_wording import points_text, standing_text
from codette_desktop.gui.tabs.rate.interval_chart import ChartRow
from codette_desktop.gui.tabs.rate.wording import signed
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ScrollColumn
from codette_desktop.rating.leaderboard import Standing
from codette_desktop.rating.support import Support

MOST_WIDTH = 1280  # design width of a page
MOST_TEXT = 920  # and of a line of words in it
NOTE_NAME = 130  # design width of the words that name a note


class Card(QFrame):
    """A heading, a line about it perhaps, and whatever is put into `column`."""

    def __init__(self, title: str, about: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "card")
        self.title = QLabel(title)
        set_role(self.title, "strong")
        self.about = wrapped(about, "secondary")
        sized(self.about, maximum=(MOST_TEXT, 0))
        if not about:  # to show it before it has a parent would open a window of its own
            self.about.hide()
        self.column = QVBoxLayout(self)
        spaced(self.column, (16, 14, 16, 14), 8)
        self.column.addWidget(self.title)
        line = QHBoxLayout()  # a label that is bounded itself would be given the height of an unbounded one
        spaced(line, spacing=0)
        line.addWidget(self.about, 1000)
        line.addStretch(1)
        self.column.addLayout(line)

    def set_about(self, text: str) -> None:
        """The line under the heading; "" for none."""
        self.about.setText(text)
        self.about.setVisible(bool(text))


class Notes(QWidget):
    """Lines with a name at the left; those that say nothing are not shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        spaced(self._grid, spacing=10)
        self._grid.setColumnStretch(1, 1000)
        self._grid.setColumnStretch(2, 1)
        self.lines: list[tuple[str, str]] = []

    def show_lines(self, lines: Sequence[tuple[str, str]]) -> None:
        """Replace them: (name, text)."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.lines = [(name, text) for name, text in lines if text]
        for at, (name, text) in enumerate(self.lines):
            head, body = wrapped(name, "secondary"), wrapped(text)
            sized(head, minimum=(NOTE_NAME, 0), maximum=(NOTE_NAME, 0))
            body.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            body.setAccessibleName(f"{name}: {text}")
            sized(body, maximum=(MOST_TEXT, 0))
            self._grid.addWidget(head, at, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(body, at, 1)


class Figures(FlowBox):
    """Large numbers, each with its word above it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, spacing=24)
        self.shown: list[tuple[str, str]] = []

    def show_figures(self, figures: Sequence[tuple[str, str, str]]) -> None:
        """Replace them: (word, number, what stands after the number)."""
        while (item := self.flow.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.shown = [(word, f"{value} {after}".strip()) for word, value, after in figures]
        for word, value, after in figures:
            self.flow.addWidget(_Figure(word, value, after))
        self.fit()


class _Figure(QWidget):
    def __init__(self, word: str, value: str, after: str) -> None:
        super().__init__()
        head = QLabel(word if len(word) <= 36 else f"{word[:35]}…")
        head.setToolTip(word)
        head.setTextFormat(Qt.TextFormat.PlainText)
        set_role(head, "secondary")
        large = QLabel(value)
        set_role(large, "title")
        small = QLabel(after)
        set_role(small, "secondary")
        row = QHBoxLayout()
        spaced(row, spacing=6)
        row.addWidget(large, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(small, 0, Qt.AlignmentFlag.AlignBottom)
        row.addStretch(1)
        column = QVBoxLayout(self)
        spaced(column, spacing=2)
        column.addWidget(head)
        column.addLayout(row)
        self.setAccessibleName(f"{word}: {value} {after}".strip())
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


def body_of(area: ScrollColumn, margins: tuple[int, int, int, int]) -> QVBoxLayout:
    """Where the parts of a page go: as wide as the window, but no wider than can be read."""
    inner = QWidget()
    sized(inner, maximum=(MOST_WIDTH, 0))
    column = QVBoxLayout(inner)
    spaced(column, spacing=12)
    row = QHBoxLayout()
    spaced(row, spacing=0)
    row.addWidget(inner, 1000)
    row.addStretch(1)
    spaced(area.column, margins, 0)
    area.column.addLayout(row)
    area.column.addStretch(1)
    return column


def wrapped(text: str = "", role: str = "") -> QLabel:
    """A label of plain text that goes on in the next line."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    set_role(label, role)
    return label


def standing_rows(standings: Sequence[Standing], places: Mapping[str, int] | None = None) -> list[ChartRow]:
    """The standings for a chart; `places` gives colours by key, where they are not those of the tally."""
    return [
        ChartRow(
            label=item.contestant.label,
            interval=item.rating,
            text=f"{signed(item.rating.value)} ±{signed(item.rating.half_width)}",
            tip=f"{standing_text(item)}\n{tr('95 % interval: {text}', text=points_text(item.rating))}",
            place=(places or {}).get(item.contestant.key, item.place),
            faded=item.support is not Support.RATED,
        )
        for item in standings
    ]
