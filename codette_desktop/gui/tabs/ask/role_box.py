"""The list of roles in the chat's settings."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from codette_desktop.domain.roles import Role
from codette_desktop.gui.i18n import tr

NONE = ""
_OWN = "\0"  # no role is called that


class RoleBox(QComboBox):
    """Shows the role whose prompt the system prompt is; `chosen` carries the name of one, "" for none."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._roles: Sequence[Role] = ()
        self._text = ""
        for widget in (self, self.view()):
            widget.setAccessibleName(tr("Role"))
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(self._on_activated)
        self._fill()

    def show_roles(self, roles: Sequence[Role]) -> None:
        """What there is to choose from."""
        self._roles = roles
        self._fill()

    def show_text(self, text: str) -> None:
        """Show whose prompt this is."""
        self._text = text
        if self._current() != self.currentData():
            self._fill()

    def _current(self) -> str:
        if not self._text.strip():
            return NONE
        role = role_of(self._text, self._roles)
        return role.name if role is not None else _OWN

    def _fill(self) -> None:
        """“Own text” cannot be chosen, so it is there only while it holds."""
        current = self._current()
        self.clear()
        self._add(tr("None"), NONE, tr("The model answers as it is."))
        if current == _OWN:
            self._add(tr("Own text"), _OWN, tr("The system prompt below is no role's."))
        for role in self._roles:
            self._add(role.title, role.name, role.description)
        self.setCurrentIndex(self.findData(current))
        self.setToolTip(self.currentData(Qt.ItemDataRole.ToolTipRole) or tr("Who the model is to be"))

    def _add(self, text: str, name: str, tip: str) -> None:
        self.addItem(text, name)
        self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.AccessibleDescriptionRole)

    def _on_activated(self) -> None:
        if self.currentData() not in (_OWN, self._current()):
            self.chosen.emit(self.currentData())


def role_of(text: str, roles: Sequence[Role]) -> Role | None:
    """The role whose prompt a text is; None for one's own words, and for none."""
    wanted = text.strip()
    return next((role for role in roles if role.prompt.strip() == wanted), None) if wanted else None
