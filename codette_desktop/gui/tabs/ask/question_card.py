"""A question: the person's words, and a place to edit them."""

import html
import re

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.conversations import Node
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.ask.message_card import MessageCard
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import GrowingTextEdit, IconButton

# A label lays out all of its text at once: for a megabyte that takes a minute, each time the card is made.
LABEL_CHARACTERS, LABEL_LINES = 6000, 200
_LONG_WORD = re.compile(r"\S{60}")  # a label does not break words: the end of a long address would not be seen


class QuestionCard(MessageCard):
    """Plain text exactly as it was typed: a question is not Markdown."""

    edited = Signal(str, str)
    answer_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("You"), parent)
        self._words: list[str] = []
        self.edit_button = IconButton("pencil", tr("Edit"), size=14)
        self.edit_button.clicked.connect(self.begin_edit)
        self.buttons.addWidget(self.edit_button)
        self.buttons.addWidget(self.copy_button)
        self.frame = QFrame()
        set_role(self.frame, "card")
        inside = QVBoxLayout(self.frame)
        spaced(inside, (14, 10, 14, 10), 8)
        self.label = QLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.label.setAccessibleName(tr("Your question"))
        inside.addWidget(self.label)
        self._inside = inside
        self._whole: GrowingTextEdit | None = None
        self.cut_row = self._make_cut_row()
        inside.addWidget(self.cut_row)
        self._editor: GrowingTextEdit | None = None
        self._edit_row: QWidget | None = None
        self.body.addWidget(self.frame)
        self.missing = self._make_missing()
        self.body.addWidget(self.missing)
        theme().changed.connect(self._restyle)
        self._restyle()

    def _make_missing(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        spaced(layout)
        label = QLabel(tr("This question has no answer yet."))
        set_role(label, "secondary")
        button = QPushButton(tr("Answer now"))
        button.clicked.connect(self._on_answer)
        layout.addWidget(label)
        layout.addWidget(button)
        layout.addStretch(1)
        row.hide()
        return row

    def _make_cut_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        spaced(layout)
        self.cut_note = QLabel()
        set_role(self.cut_note, "secondary")
        self.whole_button = QPushButton(tr("Show all"))
        self.whole_button.clicked.connect(self._toggle_whole)
        layout.addWidget(self.cut_note, 1)
        layout.addWidget(self.whole_button)
        row.hide()
        return row

    def _restyle(self) -> None:
        self.label.setFont(theme().font(15))

    def set_node(self, node: Node) -> None:
        super().set_node(node)
        shown = label_text(node.message.content)
        if self.label.text() != shown and not self._words:
            self.label.setText(shown)
        self.cut_row.setVisible(is_cut(node.message.content) and self._editor is None)
        self._note_cut()

    def _note_cut(self) -> None:
        count = number(len(self.text()))
        whole = self._whole is not None
        beginning = not whole and label_text(self.text()) != self.text()
        self.cut_note.setText(
            tr("The first of {n} characters", n=count) if beginning else tr("{n} characters", n=count)
        )
        self.whole_button.setText(tr("Show less") if whole else tr("Show all"))

    def _toggle_whole(self) -> None:
        """The whole of a long question, in a box that lays out only what is on view; or its beginning again."""
        if self._whole is None and self.node is not None:
            self._whole = whole = GrowingTextEdit(self.frame, max_lines=20)
            whole.setReadOnly(True)
            whole.setAccessibleName(tr("Your question"))
            whole.setPlainText(self.node.message.content)
            self._inside.insertWidget(0, whole)
        elif self._whole is not None:
            self._inside.removeWidget(self._whole)
            self._whole.hide()
            self._whole.deleteLater()
            self._whole = None
        self.label.setVisible(self._whole is None)
        self._note_cut()

    def set_highlight(self, words: list[str]) -> None:
        """Mark words that were searched for; [] unmarks."""
        self._words = words
        text = label_text(self.text())
        marked = marked_html(text, words, theme().tokens.highlight) if words else ""
        self.label.setTextFormat(Qt.TextFormat.RichText if marked else Qt.TextFormat.PlainText)
        self.label.setText(marked or text)

    def set_busy(self, busy: bool) -> None:
        super().set_busy(busy)
        self.edit_button.setEnabled(not busy)

    def show_missing(self, missing: bool) -> None:
        """Whether to offer the answer that never came."""
        self.missing.setVisible(missing)

    def begin_edit(self) -> None:
        """Replace the words by a text box that holds them."""
        if self._editor is not None or self.node is None or not self.edit_button.isEnabled():
            return
        editor = GrowingTextEdit(self.frame)
        set_role(editor, "composer")
        editor.setAccessibleName(tr("Edit your question"))
        editor.setPlainText(self.node.message.content)
        editor.submitted.connect(self.commit_edit)
        editor.installEventFilter(self)
        self._editor = editor
        self._edit_row = self._make_edit_row()
        if self._whole is not None:
            self._toggle_whole()
        self.label.hide()
        self.cut_row.hide()
        self._inside.addWidget(editor)
        self._inside.addWidget(self._edit_row)
        editor.setFocus(Qt.FocusReason.OtherFocusReason)
        editor.moveCursor(editor.textCursor().MoveOperation.End)

    def _make_edit_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        spaced(layout)
        note = QLabel(tr("The old version stays, one click away."))
        set_role(note, "secondary")
        cancel = QPushButton(tr("Cancel"))
        cancel.clicked.connect(self.end_edit)
        ask = QPushButton(tr("Ask again"))
        set_role(ask, "primary")
        ask.clicked.connect(self.commit_edit)
        layout.addWidget(note, 1)
        layout.addWidget(cancel)
        layout.addWidget(ask)
        return row

    @property
    def editor(self) -> GrowingTextEdit | None:
        """The text box while the question is being edited."""
        return self._editor

    def end_edit(self) -> None:
        """Back to the words as they are."""
        if self._editor is None or self._edit_row is None:
            return
        self.edit_button.setFocus(Qt.FocusReason.OtherFocusReason)  # not whatever comes next in the window
        for widget in (self._editor, self._edit_row):
            self._inside.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._editor = self._edit_row = None
        self.label.show()
        self.cut_row.setVisible(is_cut(self.text()))

    def commit_edit(self) -> None:
        """Ask the changed question; unchanged words change nothing."""
        if self._editor is None or self.node is None:
            return
        text = self._editor.toPlainText()
        self.end_edit()
        if text.strip() and text != self.node.message.content:
            self.edited.emit(self.node.id, text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            watched is self._editor
            and event.type() in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride)
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
        ):
            if event.type() == QEvent.Type.KeyPress:
                self.end_edit()
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def _on_answer(self) -> None:
        if self.node is not None:
            self.answer_wanted.emit(self.node.id)


def label_text(text: str) -> str:
    """The text, or the beginning of one that is too long for a label."""
    beginning = "\n".join(text[:LABEL_CHARACTERS].split("\n", LABEL_LINES)[:LABEL_LINES])
    return text if len(beginning) == len(text) else beginning.rstrip() + " …"


def is_cut(text: str) -> bool:
    """Whether the label does not show all of it."""
    return label_text(text) != text or _LONG_WORD.search(text) is not None


def marked_html(text: str, words: list[str], colour: str) -> str:
    """The text as HTML with the words on `colour`; "" where it holds none of them."""
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    if not pattern.search(text):
        return ""
    parts: list[str] = []
    end = 0
    for match in pattern.finditer(text):
        parts.append(html.escape(text[end : match.start()]))
        parts.append(f'<span style="background-color: {colour}">{html.escape(match[0])}</span>')
        end = match.end()
    parts.append(html.escape(text[end:]))
    return '<div style="white-space: pre-wrap">' + "".join(parts) + "</div>"
