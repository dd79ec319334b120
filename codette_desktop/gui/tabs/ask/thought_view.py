"""What a model thought before it answered: folded away, one click to read."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.theme import set_icon
from codette_desktop.gui.widgets import MarkdownView


class ThoughtView(QWidget):
    """A line that unfolds. The text is given to Markdown only once somebody looks."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chunks: list[str] = []
        self._shown = 0
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggle.toggled.connect(self._on_toggled)
        self.markdown = MarkdownView()
        self.markdown.hide()
        row = QHBoxLayout()
        row.addWidget(self.toggle)
        row.addStretch(1)
        inside = QVBoxLayout()
        spaced(inside, (14, 0, 0, 4), 0)
        inside.addWidget(self.markdown)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=4)
        layout.addLayout(row)
        layout.addLayout(inside)
        self.set_running(True)
        self._on_toggled(False)

    def append(self, text: str) -> None:
        """More of the thought."""
        self._chunks.append(text)
        if self.toggle.isChecked():
            self._catch_up()

    def text(self) -> str:
        """All of the thought."""
        return "".join(self._chunks)

    def set_running(self, running: bool) -> None:
        """Whether the model is still thinking."""
        text = tr("Thinking …") if running else tr("What it thought first")
        self.toggle.setText(text)
        self.toggle.setAccessibleName(text)
        if not running and self._shown:
            self.markdown.finish()

    def _on_toggled(self, open_: bool) -> None:
        set_icon(self.toggle, "chevron-down" if open_ else "chevron-right", 14, "secondary")
        self.toggle.setToolTip(tr("Fold") if open_ else tr("Unfold"))
        if open_:
            self._catch_up()
        self.markdown.setVisible(open_)

    def _catch_up(self) -> None:
        new = "".join(self._chunks[self._shown :])
        self._shown = len(self._chunks)
        if new:
            self.markdown.append(new)
