"""The form of one member: its model, who it is asked to be, and its parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout, QFrame, QHBoxLayout, QLabel, QSpinBox, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.models import ServerModel
from codette_desktop.domain.roles import Role
from codette_desktop.ensemble.members import read_parameters, spec_of
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.model_choice import Entry
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton
from codette_desktop.gui.widgets.parameter_field import inset_spin_box

_USUAL = -0.05  # stands for "as the model is usually asked"


class MemberPopup(QFrame):
    """Opens below a chip; every change counts at once. `changed` carries the member as one types it."""

    changed = Signal(str)
    duplicate_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        set_role(self, "sheet")
        self.setAccessibleName(tr("Who answers"))
        self._other: dict[str, Any] = {}
        self.model = QComboBox()
        self.role = QComboBox()
        self.temperature = QDoubleSpinBox()
        self.seed = QSpinBox()
        self.note = QLabel()
        self.note.setWordWrap(True)
        set_role(self.note, "warning")
        self._make_fields()
        form = QFormLayout(self)
        spaced(form, (16, 14, 16, 14), 10)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        fields: tuple[tuple[str, QWidget], ...] = (
            (tr("Model"), self.model), (tr("Persona"), self.role), (tr("Temperature"), self.temperature),
            (tr("Seed"), self.seed),
        )  # fmt: skip
        for name, field in fields:
            label = QLabel(name)
            label.setBuddy(field)
            field.setAccessibleName(name)
            form.addRow(label, field)
        form.addRow(self.note)
        form.addRow(self._make_buttons())
        sized(self, minimum=(360, 0))

    def _make_fields(self) -> None:
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.model.setMinimumContentsLength(24)
        self.model.activated.connect(lambda _at: self._tell())
        self.role.activated.connect(lambda _at: self._tell())
        self.role.setToolTip(tr("Who the model is asked to be: its system prompt"))
        self.temperature.setRange(_USUAL, 2.0)
        self.temperature.setSingleStep(0.05)
        self.temperature.setSpecialValueText(tr("as usual"))
        self.temperature.setToolTip(tr("0 gives the same answer every time; above 1 it becomes erratic"))
        self.seed.setRange(-1, 2_000_000_000)
        self.seed.setSpecialValueText(tr("another each time"))
        self.seed.setToolTip(tr("The same seed gives the same answer"))
        for box in (self.temperature, self.seed):
            box.setKeyboardTracking(False)
            inset_spin_box(box)
            box.valueChanged.connect(lambda _value: self._tell())

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        spaced(row, spacing=6)
        self.duplicate_button = ChipButton(tr("Duplicate"), "copy")
        self.duplicate_button.setToolTip(tr("The same again with another seed: a second sample"))
        self.remove_button = ChipButton(tr("Remove"), "trash-2")
        self.duplicate_button.clicked.connect(self.duplicate_wanted)
        self.remove_button.clicked.connect(self.remove_wanted)
        row.addWidget(self.duplicate_button)
        row.addWidget(self.remove_button)
        row.addStretch(1)
        return row

    def open_for(self, spec: str, entries: Sequence[Entry], roles: Sequence[Role], place: QPoint) -> None:
        """Show the form for a member, with these models and personas, at a global position."""
        head, _, query = spec.partition("?")
        model, _, role = head.partition("#")
        self._fill_models(model, entries)
        self._fill_roles(role, roles)
        try:
            parameters = read_parameters(query, spec) if query else {}
        except CodetteError:
            parameters = {}
        self._show_parameters(parameters)
        self._show_note()
        self.adjustSize()
        self.move(place)
        self.show()
        self.model.setFocus(Qt.FocusReason.PopupFocusReason)

    def spec(self) -> str:
        """The member as it stands in the form."""
        parameters = dict(self._other)
        if self.temperature.value() >= 0:
            parameters["temperature"] = round(self.temperature.value(), 2)
        if self.seed.value() >= 0:
            parameters["seed"] = self.seed.value()
        return spec_of(self.model.currentData() or "", self.role.currentData() or "", parameters)

    def _fill_models(self, chosen: str, entries: Sequence[Entry]) -> None:
        self.model.clear()
        self.model.addItem(tr("The model of new chats"), "")
        for entry in entries:
            if entry.model is not None and getattr(entry.model, "writes", True):
                self.model.addItem(entry.label, entry.name)
                self._remote(self.model.count() - 1, entry)
        at = self.model.findData(chosen)
        if at < 0:
            self.model.addItem(chosen, chosen)
            at = self.model.count() - 1
        self.model.setCurrentIndex(at)

    def _remote(self, at: int, entry: Entry) -> None:
        remote = isinstance(entry.model, ServerModel) and entry.model.remote
        self.model.setItemData(at, remote, Qt.ItemDataRole.UserRole + 1)
        if remote:
            self.model.setItemData(at, tr("Outside this computer"), Qt.ItemDataRole.ToolTipRole)

    def _fill_roles(self, chosen: str, roles: Sequence[Role]) -> None:
        self.role.clear()
        self.role.addItem(tr("None"), "")
        for role in roles:
            self.role.addItem(role.title, role.name)
            self.role.setItemData(self.role.count() - 1, role.description, Qt.ItemDataRole.ToolTipRole)
        self.role.setCurrentIndex(max(0, self.role.findData(chosen)))

    def _show_parameters(self, parameters: Mapping[str, Any]) -> None:
        self._other = {key: value for key, value in parameters.items() if key not in ("temperature", "seed")}
        for box in (self.temperature, self.seed):
            box.blockSignals(True)
        self.temperature.setValue(float(parameters.get("temperature", _USUAL)))
        self.seed.setValue(int(parameters.get("seed", -1)))
        for box in (self.temperature, self.seed):
            box.blockSignals(False)

    def _show_note(self) -> None:
        remote = bool(self.model.currentData(Qt.ItemDataRole.UserRole + 1))
        self.note.setText(tr("What you ask leaves this computer.") if remote else "")
        self.note.setVisible(remote)

    def _tell(self) -> None:
        self._show_note()
        self.changed.emit(self.spec())
