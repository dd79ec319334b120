"""Whom the next prompt goes to: a chip for each member, the method, and more."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QWidget

from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.ensembles import Member, Method
from codette_desktop.domain.roles import Role
from codette_desktop.ensemble.members import MOST_MEMBERS
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import Entry
from codette_desktop.gui.spec_bar import SpecBar
from codette_desktop.gui.tabs.compare.state import Setup
from codette_desktop.gui.tabs.compare.together import method_name, method_tip
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton, IconButton


class SetupBar(SpecBar):
    """`changed` carries the setup as it stands now."""

    changed = Signal(object)
    personas_wanted = Signal()
    measure_wanted = Signal()

    def __init__(
        self,
        member: Callable[[str], Member],
        entries: Callable[[], Sequence[Entry]],
        roles: Callable[[], Sequence[Role]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(lambda spec: member(spec).label, entries, roles, MOST_MEMBERS, parent)
        self._setup = Setup()
        self.specs_changed.connect(lambda specs: self._change(specs=specs))
        self.add_button.setToolTip(tr("Another model, persona, or set of parameters: 2 to 6 answer"))
        self.personas_button = ChipButton(tr("Five personas"), "layers")
        self.personas_button.setToolTip(tr("One model asked to be five specialists"))
        self.personas_button.clicked.connect(self.personas_wanted)
        self.method = self._make_method()
        self.more_button = IconButton("sliders-horizontal", tr("Kind of answer, who may judge, and measuring"))
        self.more_button.clicked.connect(self._show_more)
        answer_by = QWidget()
        row = QHBoxLayout(answer_by)
        spaced(row, spacing=8)
        label = QLabel(tr("One answer by"))
        label.setBuddy(self.method)
        set_role(label, "secondary")
        for widget in (label, self.method, self.more_button):
            row.addWidget(widget)
        self.add_after(self.personas_button, answer_by)

    def _make_method(self) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(tr("How one answer is made of theirs"))
        for method in Method:
            combo.addItem(method_name(method), method.value)
            combo.setItemData(combo.count() - 1, method_tip(method), Qt.ItemDataRole.ToolTipRole)
        combo.activated.connect(lambda _at: self._change(method=Method(combo.currentData())))
        return combo

    # What is shown

    def show_setup(self, setup: Setup) -> None:
        """These members, this method."""
        self._setup = setup
        self.method.setCurrentIndex(self.method.findData(setup.method.value))
        self.method.setToolTip(method_tip(setup.method))
        self.show_specs(setup.specs)

    def _show_more(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        kinds = menu.addMenu(tr("Kind of answer"))
        kinds.setToolTipsVisible(True)
        group = QActionGroup(kinds)
        for kind in (None, *AnswerKind):
            action = kinds.addAction(kind_name(kind))
            action.setCheckable(True)
            action.setChecked(self._setup.kind is kind)
            action.triggered.connect(lambda _=False, kind=kind: self._change(kind=kind))
            group.addAction(action)
        judges = menu.addMenu(tr("Who may write one answer where they differ"))
        group = QActionGroup(judges)
        entries = [(tr("Nobody"), ""), *((entry.label, entry.name) for entry in self._entries() if entry.model)]
        for label, name in entries:
            action = judges.addAction(label)
            action.setCheckable(True)
            action.setChecked(self._setup.judge == name)
            action.triggered.connect(lambda _=False, name=name: self._change(judge=name))
            group.addAction(action)
        menu.addSeparator()
        measure = menu.addAction(tr("Measure this ensemble …"))
        measure.setEnabled(len(self._setup.specs) > 1)
        measure.triggered.connect(self.measure_wanted)
        menu.popup(self.more_button.mapToGlobal(QPoint(0, self.more_button.height())))

    def _change(self, **changes: object) -> None:
        self.changed.emit(replace(self._setup, **changes))  # type: ignore[arg-type]


def kind_name(kind: AnswerKind | None) -> str:
    """In a person's word; None is whatever the question asks for."""
    if kind is None:
        return tr("As the question asks")
    return {
        AnswerKind.NUMBER: tr("A number"),
        AnswerKind.CHOICE: tr("A choice (A, B, C …)"),
        AnswerKind.YES_NO: tr("Yes or no"),
        AnswerKind.JSON: tr("JSON"),
        AnswerKind.CODE: tr("Code"),
        AnswerKind.TEXT: tr("A few words"),
    }[kind]
