"""The building blocks of the settings: a card with a heading and rows of a label, a field and perhaps a note."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QSpinBox, QVBoxLayout, QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets.parameter_field import inset_spin_box


def number_box(name: str, most: int, step: int, value: int) -> QSpinBox:
    """From 0, which is shown as "Automatic", to `most`."""
    box = QSpinBox()
    box.setAccessibleName(name)
    box.setRange(0, most)
    box.setSingleStep(step)
    box.setSpecialValueText(tr("Automatic"))
    box.setKeyboardTracking(False)
    box.setGroupSeparatorShown(True)
    box.setValue(value)
    inset_spin_box(box)
    return box


def section(title: str, rows: list[tuple[str, QWidget, str]]) -> QFrame:
    """A card with a heading ("": none); each row is its label, its field, and a note under it ("": none)."""
    frame = QFrame()
    set_role(frame, "card")
    layout = QVBoxLayout(frame)
    spaced(layout, (16, 14, 16, 14), 12)
    if title:
        heading = QLabel(title)
        set_role(heading, "heading")
        layout.addWidget(heading)
    form = QFormLayout()
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    spaced(form, spacing=12)
    for name, field, note in rows:
        label = QLabel(name)
        label.setBuddy(field)
        sized(label, minimum=(130, 0))
        if note:
            form.addRow(label, _with_note(field, note))
        else:
            form.addRow(label, field)
    layout.addLayout(form)
    return frame


def _with_note(field: QWidget, note: str) -> QVBoxLayout:
    column = QVBoxLayout()
    spaced(column, spacing=4)
    column.addWidget(field)
    words = QLabel(note)
    words.setWordWrap(True)
    set_role(words, "secondary")
    column.addWidget(words)
    return column
