"""The mouse wheel scrolls the page: it changes no field that one has not clicked into."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QWidget


class QuietWheel(QObject):
    """Watches the fields inside `page`, those that come later too."""

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._watch(page)

    def _watch(self, widget: QWidget) -> None:
        for inside in (widget, *widget.findChildren(QWidget)):
            if isinstance(inside, QComboBox | QAbstractSpinBox):
                inside.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # else the wheel itself gives the focus
            inside.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ChildPolished and isinstance(child := event.child(), QWidget):  # pyright: ignore[reportAttributeAccessIssue]
            self._watch(child)
        if event.type() != QEvent.Type.Wheel or not isinstance(watched, QComboBox | QAbstractSpinBox):
            return False
        if watched.hasFocus():
            return False
        event.ignore()  # the page behind it gets it
        return True
