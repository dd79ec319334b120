"""Whom the next prompt goes to: a chip for each member, the method, and more."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from codette_desktop.domain.closed_answers import AnswerKind
from codette_desktop.domain.ensembles import Member, Method
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.roles import Role
from codette_desktop.ensemble.members import MOST_MEMBERS
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.model_choice import Entry
from codette_desktop.gui.tabs.compare.column import SeriesDot
from codette_desktop.gui.tabs.compare.member_popup import MemberPopup
from codette_desktop.gui.tabs.compare.state import Setup
from codette_desktop.gui.tabs.compare.together import method_name, method_tip
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton, IconButton


class SetupBar(QWidget):
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
        super().__init__(parent)
        self._member, self._entries, self._roles = member, entries, roles
        self._setup = Setup()
        self._editing = -1
        self.chips: list[ChipButton] = []
        self.popup = MemberPopup(self)
        self.popup.changed.connect(self._on_edited)
        self.popup.duplicate_wanted.connect(self._on_duplicate)
        self.popup.remove_wanted.connect(self._on_remove)
        self.add_button = ChipButton(tr("Add"), "plus")
        self.add_button.setToolTip(tr("Another model, persona, or set of parameters: 2 to 6 answer"))
        self.add_button.clicked.connect(self._on_add)
        self.personas_button = ChipButton(tr("Five personas"), "layers")
        self.personas_button.setToolTip(tr("One model asked to be five specialists"))
        self.personas_button.clicked.connect(self.personas_wanted)
        self.method = self._make_method()
        self.more_button = IconButton("sliders-horizontal", tr("Kind of answer, who may judge, and measuring"))
        self.more_button.clicked.connect(self._show_more)
        self._box = FlowBox()
        self._flow = self._box.flow
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addWidget(self._box)
        self._answer_by = QWidget()
        row = QHBoxLayout(self._answer_by)
        spaced(row, spacing=8)
        label = QLabel(tr("One answer by"))
        label.setBuddy(self.method)
        set_role(label, "secondary")
        for widget in (label, self.method, self.more_button):
            row.addWidget(widget)

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
        if len(self.chips) != len(setup.specs):
            self._make_chips(len(setup.specs))
        for chip, spec in zip(self.chips, setup.specs, strict=True):
            text, problem = self._words(spec)
            chip.setText(text)
            chip.setAccessibleName(tr("Member {name}", name=text))
            chip.setToolTip(problem or tr("{name}: click to change", name=text))
            set_role(chip, "chip-bad" if problem else "chip")
        self.add_button.setVisible(len(setup.specs) < MOST_MEMBERS)
        self._box.fit()

    def _make_chips(self, count: int) -> None:
        while self._flow.count():
            self._flow.takeAt(0)
        for old in self._box.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if old not in (self.add_button, self.personas_button, self._answer_by):
                old.hide()
                old.deleteLater()
        self.chips = []
        for place in range(count):
            holder = QWidget(self._box)
            inside = QHBoxLayout(holder)
            spaced(inside, spacing=4)
            chip = ChipButton("")
            chip.clicked.connect(lambda _=False, place=place: self.edit(place))
            inside.addWidget(SeriesDot(place))
            inside.addWidget(chip)
            self._flow.addWidget(holder)
            holder.show()
            self.chips.append(chip)
        self._flow.addWidget(self.add_button)
        self._flow.addWidget(self.personas_button)
        self._flow.addWidget(self._answer_by)

    def _words(self, spec: str) -> tuple[str, str]:
        """What a chip says, and what is wrong with it ("" for nothing)."""
        try:
            label = self._member(spec).label
        except CodetteError as error:
            return spec, f"{error.message} {error.hint}".strip()
        query = spec.partition("?")[2].replace("&", ", ").replace("=", " ").replace("_", " ")
        return (f"{label} · {query}" if query else label), ""

    # What the person does

    def edit(self, place: int) -> None:
        """Open the form of a member below its chip."""
        self._editing = place
        chip = self.chips[place]
        below = chip.mapToGlobal(QPoint(0, chip.height() + 4))
        self.popup.open_for(self._setup.specs[place], self._entries(), self._roles(), below)

    def _on_edited(self, spec: str) -> None:
        specs = list(self._setup.specs)
        specs[self._editing] = spec
        self._change(specs=tuple(specs))

    def _on_add(self) -> None:
        taken = set(self._setup.specs)
        names = [entry.name for entry in self._entries() if entry.model is not None]
        spec = next((name for name in names if name not in taken), None) or self._another(self._setup.specs[-1:])
        self._change(specs=(*self._setup.specs, spec))
        self.edit(len(self._setup.specs) - 1)

    def _another(self, like: Sequence[str]) -> str:
        """The same member as another sample of it."""
        head = like[0].partition("?")[0] if like else ""
        used = sum(spec.partition("?")[0] == head for spec in self._setup.specs)
        return f"{head}?temperature=0.8&seed={used + 1}"

    def _on_duplicate(self) -> None:
        self.popup.hide()
        if len(self._setup.specs) < MOST_MEMBERS:
            self._change(specs=(*self._setup.specs, self._another([self._setup.specs[self._editing]])))

    def _on_remove(self) -> None:
        self.popup.hide()
        specs = [spec for place, spec in enumerate(self._setup.specs) if place != self._editing]
        self._change(specs=tuple(specs))

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
