"""Short messages at the bottom right that go by themselves, with an action such as Undo."""

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QEasingCurve, QEvent, QObject, QPoint, QPropertyAnimation, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QStyle, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import set_role, theme
from codette_desktop.gui.widgets.buttons import IconButton
from codette_desktop.gui.widgets.labels import StateIcon

Kind = Literal["info", "good", "warning", "bad"]
TIMEOUT_MS = 5_000
MAX_TOASTS = 4
_WIDTH, _MARGIN, _GAP = 380, 16, 8
_SLIDE_MS = 180

STATE_WORDS: dict[str, Callable[[], str]] = {
    "info": lambda: tr("Note"),
    "good": lambda: tr("Done"),
    "warning": lambda: tr("Warning"),
    "bad": lambda: tr("Error"),
}


class Toast(QFrame):
    """One message. It ends once: by its action, or by time, closing or a newer message (`expired`)."""

    acted = Signal()
    expired = Signal()
    ended = Signal()

    def __init__(self, parent: QWidget, text: str, kind: Kind, action_text: str, timeout_ms: int) -> None:
        super().__init__(parent)
        set_role(self, "toast")
        self._open = True
        self.setAccessibleName(f"{STATE_WORDS[kind]()}: {text}")
        self._label = QLabel(text, self)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
        policy.setHeightForWidth(True)  # a new policy has forgotten that the words wrap
        self._label.setSizePolicy(policy)
        self._row = row = QHBoxLayout(self)
        px = theme().px
        row.setContentsMargins(px(12), px(10), px(8), px(10))
        row.setSpacing(px(8))
        row.addWidget(StateIcon(kind, 20, self), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._label, 1)
        self.action_button: QPushButton | None = None
        if action_text:
            button = self.action_button = QPushButton(action_text, self)
            button.setAccessibleName(f"{action_text}: {text}")
            button.clicked.connect(self.trigger_action)
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        close = IconButton("x", tr("Dismiss"), parent=self)
        close.clicked.connect(self.dismiss)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(timeout_ms)
        self._timer.timeout.connect(self.dismiss)
        if timeout_ms > 0:
            self._timer.start()
        self._slide = QPropertyAnimation(self, b"pos", self)
        self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)

    @property
    def text(self) -> str:
        return self._label.text()

    @property
    def is_open(self) -> bool:
        """Whether it has not ended yet."""
        return self._open

    def height_for(self, width: int) -> int:
        """The height its text needs at that width."""
        for part in (self, *self.findChildren(QWidget)):
            part.ensurePolished()  # else the text would be measured in another font than it is drawn in
        frame = self.contentsMargins()  # what the style sheet's border takes; the layout's own sums leave it out
        across, along = frame.left() + frame.right(), frame.top() + frame.bottom()
        self._row.invalidate()
        height = max(self._row.totalHeightForWidth(width - across), self._row.totalMinimumSize().height())
        return height + along

    def place(self, where: QPoint) -> None:
        """Its place is there; one that slides in goes there from where it is."""
        self._slide.setEndValue(where)
        if self._slide.state() is not QPropertyAnimation.State.Running:
            self.move(where)

    def slide_in(self) -> None:
        """Come in from the right edge; at once where the desktop wants nothing to move."""
        duration = min(_SLIDE_MS, self.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration))
        if duration > 0 and (parent := self.parentWidget()) is not None:
            self._slide.setDuration(duration)
            self._slide.setStartValue(QPoint(parent.width(), self.y()))
            self._slide.start()

    def dismiss(self) -> None:
        """Ends without the action."""
        self._end(self.expired)

    def trigger_action(self) -> None:
        """Ends with the action."""
        self._end(self.acted)

    def _end(self, how: object) -> None:
        if not self._open:
            return
        self._open = False
        self._timer.stop()
        self._slide.stop()
        how.emit()  # type: ignore[attr-defined]
        self.ended.emit()

    # Who reads it, or is about to press its button, must not have it taken away.
    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        if self._open and self._timer.interval() > 0:
            self._timer.start()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)


class ToastHost(QObject):
    """Stacks toasts over the bottom right corner of a window, the newest lowest."""

    def __init__(self, window: QWidget, bottom: int = 0) -> None:
        super().__init__(window)
        self._window = window
        self._bottom = bottom
        self._toasts: list[Toast] = []
        window.installEventFilter(self)
        theme().changed.connect(self._place)

    @property
    def toasts(self) -> tuple[Toast, ...]:
        """Those that are to be seen, oldest first."""
        return tuple(self._toasts)

    def show_toast(
        self,
        text: str,
        kind: Kind = "info",
        *,
        action_text: str = "",
        on_action: Callable[[], object] | None = None,
        on_expired: Callable[[], object] | None = None,
        timeout_ms: int = TIMEOUT_MS,
        slide: bool = False,
    ) -> Toast:
        """Shows a message; 0 ms stays until closed. `on_expired` is called when it ends without its action.

        With `slide` it comes in from the right, where the desktop wants anything to move.

        One that says the same and asks for nothing gives way to it.
        """
        if on_action is None and on_expired is None:
            for known in tuple(self._toasts):
                if known.text == text:
                    known.dismiss()
        toast = Toast(self._window, text, kind, action_text, timeout_ms)
        if on_action is not None:
            toast.acted.connect(lambda: on_action())
        if on_expired is not None:
            toast.expired.connect(lambda: on_expired())
        toast.ended.connect(lambda: self._remove(toast))
        self._toasts.append(toast)
        while len(self._toasts) > MAX_TOASTS:
            self._toasts[0].dismiss()
        self._place()
        if slide:
            toast.slide_in()
        announcement = QAccessibleAnnouncementEvent(toast, toast.accessibleName())
        if kind in ("warning", "bad"):
            announcement.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(announcement)
        return toast

    def dismiss_all(self) -> None:
        """Ends all of them, as at closing time: what waits for `on_expired` is done."""
        for toast in tuple(self._toasts):
            toast.dismiss()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _remove(self, toast: Toast) -> None:
        self._toasts.remove(toast)
        toast.hide()
        toast.deleteLater()
        self._place()

    def _place(self) -> None:
        px = theme().px
        width = min(px(_WIDTH), self._window.width() - 2 * px(_MARGIN))
        bottom = self._window.height() - px(_MARGIN) - px(self._bottom)
        for toast in reversed(self._toasts):
            toast.setFixedWidth(max(px(160), width))
            height = toast.height_for(toast.width())
            toast.setFixedHeight(height)
            toast.place(QPoint(self._window.width() - toast.width() - px(_MARGIN), bottom - height))
            toast.show()
            toast.raise_()
            bottom -= height + px(_GAP)


def delete_with_undo(
    host: ToastHost, text: str, *, undo: Callable[[], object], commit: Callable[[], object] | None = None
) -> Toast:
    """Tells that something was deleted and offers to take it back, instead of asking before.

    The caller has hidden it already. `undo` is called on Undo, else `commit` when the message goes.
    """
    return host.show_toast(text, action_text=tr("Undo"), on_action=undo, on_expired=commit, timeout_ms=2 * TIMEOUT_MS)
