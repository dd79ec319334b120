"""Questions to the person as coroutines. Dialogs are opened, never exec()ed: a modal loop inside a coroutine would
keep every other task from running and kill those that wake."""

import asyncio
from collections.abc import Sequence

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import set_role, theme

_Role = QDialogButtonBox.ButtonRole


async def finished(dialog: QDialog) -> int:
    """Opens a dialog and waits until it is closed; its result. A cancelled task closes it."""
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def on_finished(result: int) -> None:
        if not done.done():
            done.set_result(result)

    dialog.finished.connect(on_finished)
    dialog.open()
    try:
        return await done
    finally:
        dialog.close()
        dialog.deleteLater()


class MessageDialog(QDialog):
    """A title, a text, something to fill in perhaps, and buttons; `chosen` is the key of the button pressed."""

    def __init__(self, parent: QWidget | None, title: str, text: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.chosen: str | None = None
        px = theme().px
        self.setMinimumWidth(px(380))
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(px(24), px(20), px(24), px(16))
        self.column.setSpacing(px(12))
        head = QLabel(title, self)
        set_role(head, "heading")
        head.setWordWrap(True)
        self.text_label = QLabel(text, self)
        self.text_label.setWordWrap(True)
        self.text_label.setTextFormat(Qt.TextFormat.PlainText)
        self.text_label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.text_label.setVisible(bool(text))
        self.column.addWidget(head)
        self.column.addWidget(self.text_label)
        self.buttons = QDialogButtonBox(self)
        self.column.addWidget(self.buttons)

    def add_button(self, key: str | None, text: str, role: str = "") -> QPushButton:
        """Adds a button; `key` None is the one that cancels. "primary" and "danger" accept."""
        accepts = role in ("primary", "danger")
        button = self.buttons.addButton(text, _Role.AcceptRole if accepts else _Role.RejectRole)
        set_role(button, role)
        button.setAccessibleName(text)
        # Enter must not destroy anything by accident.
        button.setDefault(role == "primary")
        button.setAutoDefault(role == "primary")
        button.clicked.connect(lambda: self._choose(key))
        return button

    def _choose(self, key: str | None) -> None:
        self.chosen = key
        self.done(int(QDialog.DialogCode.Rejected if key is None else QDialog.DialogCode.Accepted))


async def ask(
    parent: QWidget | None, title: str, text: str, *, accept: str = "", cancel: str = "", danger: bool = False
) -> bool:
    """A question with two answers; False for cancel, Esc and closing."""
    dialog = MessageDialog(parent, title, text)
    dialog.add_button("yes", accept or tr("OK"), "danger" if danger else "primary")
    refuse = dialog.add_button(None, cancel or tr("Cancel"))
    if danger:
        # Without another default the button box gives Enter to the button that accepts.
        refuse.setDefault(True)
        refuse.setFocus()
    return await finished(dialog) == int(QDialog.DialogCode.Accepted)


async def choose(parent: QWidget | None, title: str, text: str, choices: Sequence[tuple[str, str]]) -> str | None:
    """A question with several answers, the first one recommended; the chosen key, or None for cancel."""
    dialog = MessageDialog(parent, title, text)
    for number, (key, label) in enumerate(choices):
        dialog.add_button(key, label, "primary" if number == 0 else "")
    dialog.add_button(None, tr("Cancel"))
    await finished(dialog)
    return dialog.chosen


async def tell(parent: QWidget | None, title: str, text: str) -> None:
    """Something that must be read before work goes on."""
    dialog = MessageDialog(parent, title, text)
    dialog.add_button("ok", tr("OK"), "primary")
    await finished(dialog)


async def prompt_text(
    parent: QWidget | None, title: str, label: str, text: str = "", *, multiline: bool = False, accept: str = ""
) -> str | None:
    """Asks for text, with `text` to begin from; None for cancel."""
    dialog = MessageDialog(parent, title, label)
    field: QLineEdit | QPlainTextEdit
    if multiline:
        field = QPlainTextEdit(text, dialog)
        field.setMinimumSize(theme().px(480), theme().px(180))
        field.setTabChangesFocus(True)
    else:
        field = QLineEdit(text, dialog)
        field.setMinimumWidth(theme().px(360))
        field.selectAll()
    field.setAccessibleName(label or title)
    dialog.column.insertWidget(dialog.column.count() - 1, field)
    dialog.add_button("ok", accept or tr("OK"), "primary")
    dialog.add_button(None, tr("Cancel"))
    field.setFocus()
    if await finished(dialog) != int(QDialog.DialogCode.Accepted):
        return None
    return field.text() if isinstance(field, QLineEdit) else field.toPlainText()


async def ask_to_open(parent: QWidget | None, url: str) -> bool:
    """Asks whether a link of an answer may be opened, showing where it leads, and opens it in the browser."""
    text = tr("This link comes from a model's answer. It will be opened in your web browser:\n\n{url}", url=url)
    if await ask(parent, tr("Open this link?"), text, accept=tr("Open in browser")):
        return QDesktopServices.openUrl(QUrl(url))
    return False
