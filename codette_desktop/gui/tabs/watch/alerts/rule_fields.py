"""The fields of the rule editor: a threshold that may be missing, a span of time, and the line below them."""

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.rate.result_parts import wrapped
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets.parameter_field import inset_spin_box

MOST = 1_000_000.0
_UNITS = ((1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "d"))


class NumberBox(QDoubleSpinBox):
    """As many decimals as the number has."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setLocale(QLocale.c())
        self.setRange(0, MOST)
        self.setDecimals(3)
        self.setKeyboardTracking(True)
        sized(self, minimum=(104, 0), maximum=(104, 0))
        theme().changed.connect(self._inset)
        self._inset()

    def _inset(self) -> None:
        inset_spin_box(self)

    def textFromValue(self, value: float) -> str:
        return f"{value:.3f}".rstrip("0").rstrip(".")


class Field(QWidget):
    """A field and the line below it, which says what is wrong, or what it was before it was changed."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row = QHBoxLayout()
        spaced(self.row, spacing=8)
        self.note = wrapped(role="secondary")
        self.note.hide()
        column = QVBoxLayout(self)
        spaced(column, spacing=3)
        column.addLayout(self.row)
        column.addWidget(self.note)

    def show_note(self, problem: str, otherwise: str = "") -> None:
        """What is wrong, else something worth knowing, else nothing."""
        self.note.setText(problem or otherwise)
        set_role(self.note, "bad" if problem else "secondary")
        self.note.setVisible(bool(problem or otherwise))
        self.setAccessibleDescription(problem or otherwise)


class ThresholdField(Field):
    """A number with its unit; a warning and a critical threshold may be missing (`optional`)."""

    def __init__(self, name: str, sign: str, unit: str, *, optional: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.check = QCheckBox()
        self.check.setAccessibleName(tr("There is a threshold: {name}", name=name))
        self.check.setToolTip(tr("Whether there is such a threshold at all"))
        kept = self.check.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # so that all thresholds stand below each other
        self.check.setSizePolicy(kept)
        self.check.setVisible(optional)
        self.check.setChecked(True)
        self.sign, self.unit = QLabel(sign), QLabel(unit)
        set_role(self.sign, "mono")
        set_role(self.unit, "secondary")
        self.box = NumberBox(name)
        for widget in (self.check, self.sign, self.box, self.unit):
            self.row.addWidget(widget)
        self.row.addStretch(1)
        self.check.toggled.connect(self._on_check)
        self.box.valueChanged.connect(lambda _value: self.changed.emit())

    def _on_check(self, on: bool) -> None:
        self.box.setEnabled(on)
        self.changed.emit()

    @property
    def value(self) -> float | None:
        """The threshold, None for none."""
        return self.box.value() if self.check.isChecked() else None

    def set_value(self, value: float | None) -> None:
        """Show one; None keeps the number for when it is wanted again."""
        self.check.setChecked(value is not None)
        if value is not None:
            self.box.setValue(value)


class SpanField(Field):
    """A span of time in the unit that suits it."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = NumberBox(name)
        self.unit = QComboBox()
        self.unit.setAccessibleName(tr("Unit of {name}", name=name))
        self.unit.view().setAccessibleName(self.unit.accessibleName())
        words = {"s": tr("seconds"), "min": tr("minutes"), "h": tr("hours"), "d": tr("days")}
        for size, key in _UNITS:
            self.unit.addItem(words[key], size)
        sized(self.unit, minimum=(124, 0), maximum=(124, 0))
        for widget in (self.box, self.unit):
            self.row.addWidget(widget)
        self.row.addStretch(1)
        self.box.valueChanged.connect(lambda _value: self.changed.emit())
        self.unit.currentIndexChanged.connect(lambda _at: self.changed.emit())

    @property
    def value(self) -> float:
        """In seconds."""
        return self.box.value() * float(self.unit.currentData())

    def set_value(self, seconds: float) -> None:
        """Show a span."""
        size = max((size for size, _key in _UNITS if seconds and seconds % size == 0), default=1.0)
        self.unit.setCurrentIndex(self.unit.findData(size))
        self.box.setValue(seconds / size)
