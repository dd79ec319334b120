"""One setting of the engine: its name, a field to change it, what it does, and what it costs."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import IconButton
from codette_desktop.gui.widgets.parameter_field import inset_spin_box
from codette_desktop.inference.engine_fields import EngineSettingField, FieldKind


class EngineField(QWidget):
    """`changed` carries the name and the value the person chose; `reset` the name of a value to take back."""

    changed = Signal(str, object)
    reset = Signal(str)

    def __init__(self, field: EngineSettingField, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self.editor = self._make_editor()
        self.editor.setAccessibleName(tr(field.label))
        self.editor.setToolTip(tr(field.cost))
        label = QLabel(tr(field.label))
        label.setBuddy(self.editor)
        label.setWordWrap(True)
        sized(label, minimum=(150, 0), maximum=(150, 0))
        self.reset_button = IconButton("undo-2", tr("As for all models"), size=14)
        self.reset_button.clicked.connect(lambda: self.reset.emit(field.name))
        self.note = QLabel()
        self.note.setWordWrap(True)
        set_role(self.note, "secondary")
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        set_role(self.problem, "bad")
        self.problem.hide()
        head = QHBoxLayout()
        spaced(head, spacing=8)
        head.addWidget(self.editor, 1)
        head.addWidget(self.reset_button)
        words = QVBoxLayout()
        spaced(words, spacing=4)
        words.addWidget(self.problem)
        words.addWidget(self.note)
        grid = QGridLayout(self)  # the label stands level with its editor, the words below the editor
        spaced(grid, spacing=4)
        grid.setHorizontalSpacing(12)
        grid.addWidget(label, 0, 0)
        grid.addLayout(head, 0, 1)
        grid.addLayout(words, 1, 1)
        grid.setColumnStretch(1, 1)

    def show_value(self, value: Any, origin: str, *, own: bool) -> None:
        """Show what counts; `origin` says whence it comes ("": nothing worth telling), `own` that it can be reset."""
        editor = self.editor
        editor.blockSignals(True)
        if isinstance(editor, QCheckBox):
            editor.setChecked(bool(value))
        elif isinstance(editor, QComboBox):
            editor.setCurrentIndex(max(0, editor.findData(str(value))))
        else:
            editor.setValue(value)  # pyright: ignore[reportAttributeAccessIssue]
        editor.blockSignals(False)
        self.reset_button.setVisible(own)
        self.problem.hide()
        first = " ".join(part for part in (tr(self.field.explanation), self._chosen_text()) if part)
        second = " ".join(part for part in (tr(self.field.cost), origin) if part)
        self.note.setText(f"{first}\n{second}")

    def show_problem(self, text: str) -> None:
        """Why what was chosen does not count."""
        self.problem.setText(text)
        self.problem.show()

    def _chosen_text(self) -> str:
        """What the chosen one of several means."""
        value = self.editor.currentData() if isinstance(self.editor, QComboBox) else None
        found = next((item for item in self.field.choices if item.value == value), None)
        return f"{tr(found.label)}: {_uncapitalised(tr(found.explanation))}" if found else ""

    def _make_editor(self) -> QWidget:
        field = self.field
        if field.kind is FieldKind.SWITCH:
            box = QCheckBox(tr("On"))
            box.toggled.connect(self._tell)
            return box
        if field.kind is FieldKind.CHOICE:
            combo = QComboBox()
            combo.view().setAccessibleName(tr(field.label))
            for item in field.choices:
                combo.addItem(tr(item.label), item.value)
                combo.setItemData(combo.count() - 1, tr(item.explanation), Qt.ItemDataRole.ToolTipRole)
            combo.activated.connect(lambda _at: self._tell(combo.currentData()))
            return combo
        return self._make_number()

    def _make_number(self) -> QSpinBox | QDoubleSpinBox:
        field = self.field
        whole = all(float(value).is_integer() for value in (field.least, field.step))
        box: Any = QSpinBox() if whole else QDoubleSpinBox()
        kind = int if whole else float
        box.setRange(kind(field.least if field.special is None else field.special), kind(field.most))
        box.setSingleStep(kind(field.step))
        box.setGroupSeparatorShown(True)
        box.setKeyboardTracking(False)
        box.setSuffix(f" {tr(field.unit)}" if field.unit else "")
        if field.special is not None:
            box.setSpecialValueText(tr(field.special_label))
        inset_spin_box(box)
        box.valueChanged.connect(self._on_number)
        return box

    def _on_number(self, value: float) -> None:
        """Between the special value and the least there is nothing: one step from the first is the second."""
        field = self.field
        if field.special is not None and field.special < value < field.least:
            value = type(value)(field.least)
            self.editor.setValue(value)  # pyright: ignore[reportAttributeAccessIssue] - tells again
            return
        self._tell(value)

    def _tell(self, value: object) -> None:
        self.changed.emit(self.field.name, value)


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]
