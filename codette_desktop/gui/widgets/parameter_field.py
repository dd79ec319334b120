"""One number to set: slider for the hand, box for the exact value, a way back to the default, and what it means."""

import math

from PySide6.QtCore import QEvent, QLocale, QObject, Qt, Signal
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QGridLayout, QLabel, QSlider, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import set_role, theme
from codette_desktop.gui.widgets.buttons import IconButton

_STEPS = 1_000  # positions of a logarithmic slider


class ParameterField(QWidget):
    """`explanation` is its tooltip and accessible description; `special` is shown for the minimum ("off")."""

    changed = Signal(float)

    def __init__(
        self,
        name: str,
        text: str,
        explanation: str,
        *,
        minimum: float,
        maximum: float,
        default: float,
        step: float,
        decimals: int = 0,
        special: str = "",
        logarithmic: bool = False,
        slider_maximum: float | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._default, self._step, self._logarithmic = default, step, logarithmic
        self._low, self._high = minimum, maximum if slider_maximum is None else slider_maximum
        self._label = QLabel(text, self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setMaximum(_STEPS if logarithmic else round((self._high - self._low) / step))
        self.slider.setPageStep(max(1, self.slider.maximum() // 10))
        self.box = QDoubleSpinBox(self)
        self.box.setLocale(QLocale.c())
        self.box.setDecimals(decimals)
        self.box.setRange(minimum, maximum)
        self.box.setSingleStep(step)
        self.box.setSpecialValueText(special)
        self.box.setKeyboardTracking(False)
        self.reset_button = IconButton("rotate-ccw", tr("Back to the default of {text}", text=text), parent=self)
        self._label.setBuddy(self.box)
        for widget, kind in ((self.slider, tr("slider")), (self.box, "")):
            widget.setAccessibleName(f"{text}, {kind}" if kind else text)
            widget.setAccessibleDescription(explanation)
            # A wheel that scrolls the form must not change what lies under the pointer.
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            widget.installEventFilter(self)
        for widget in (self._label, self.slider, self.box):
            widget.setToolTip(explanation)
        self._lay_out()
        self.slider.valueChanged.connect(self._on_slider)
        self.box.valueChanged.connect(self._on_box)
        self.reset_button.clicked.connect(self.reset)
        theme().changed.connect(self._apply)
        self._apply()
        self.box.setValue(default)
        self._on_box(self.box.value())

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._label, 0, 0, 1, 3)
        grid.addWidget(self.slider, 1, 0)
        grid.addWidget(self.box, 1, 1)
        grid.addWidget(self.reset_button, 1, 2)
        grid.setColumnStretch(0, 1)

    def value(self) -> float:
        """The value in force."""
        return self.box.value()

    def set_value(self, value: float) -> None:
        """Sets it, brought into the range; tells `changed` where it differs."""
        self.box.setValue(value)

    def reset(self) -> None:
        """Back to the default."""
        self.box.setValue(self._default)

    def is_default(self) -> bool:
        """Whether the default is in force."""
        return math.isclose(self.value(), self._default, abs_tol=10 ** -(self.box.decimals() + 2))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False

    def _position_of(self, value: float) -> int:
        if not self._logarithmic:
            return round((value - self._low) / self._step)
        return round(_STEPS * math.log1p(max(0.0, value - self._low)) / math.log1p(self._high - self._low))

    def _value_at(self, position: int) -> float:
        if not self._logarithmic:
            return self._low + position * self._step
        return self._low + math.expm1(position / _STEPS * math.log1p(self._high - self._low))

    def _on_slider(self, position: int) -> None:
        if position != self._position_of(self.box.value()):
            self.box.setValue(self._value_at(position))

    def _on_box(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(self._position_of(value))
        self.slider.blockSignals(False)
        self.reset_button.setEnabled(not self.is_default())
        self.reset_button.setVisible(True)
        set_role(self._label, "" if self.is_default() else "strong")
        self.changed.emit(value)

    def _apply(self) -> None:
        self.box.setFixedWidth(theme().px(112))
        inset_spin_box(self.box)


def inset_spin_box(box: QAbstractSpinBox) -> None:
    """Room between the left edge of a spin box and its number, which a style sheet cannot give."""
    box.lineEdit().setTextMargins(theme().px(6), 0, 0, 0)
