"""A row of chips, one for each who answers, each with a form below it; shared by Compare and Rate."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.roles import Role
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.member_popup import MemberPopup
from codette_desktop.gui.model_choice import Entry
from codette_desktop.gui.tabs.compare.column import SeriesDot
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ChipButton


class SpecBar(QWidget):
    """`specs_changed` carries who answers, as one types them; nothing changes here before `show_specs` says so.

    `label` gives what is read for a spec and raises CodetteError where it cannot be asked.
    """

    specs_changed = Signal(object)

    def __init__(
        self,
        label: Callable[[str], str],
        entries: Callable[[], Sequence[Entry]],
        roles: Callable[[], Sequence[Role]],
        most: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._label, self._entries, self._roles, self._most = label, entries, roles, most
        self._specs: tuple[str, ...] = ()
        self._editing = -1
        self.chips: list[ChipButton] = []
        self.popup = MemberPopup(self)
        self.popup.changed.connect(self._on_edited)
        self.popup.duplicate_wanted.connect(self._on_duplicate)
        self.popup.remove_wanted.connect(self._on_remove)
        self.add_button = ChipButton(tr("Add"), "plus")
        self.add_button.clicked.connect(self._on_add)
        self._box = FlowBox()
        self._flow = self._box.flow
        self._after: list[QWidget] = [self.add_button]
        column = QVBoxLayout(self)
        spaced(column, spacing=0)
        column.addWidget(self._box)

    def add_after(self, *widgets: QWidget) -> None:
        """What stands behind the chips."""
        self._after += widgets

    def show_specs(self, specs: Sequence[str]) -> None:
        """These answer."""
        self._specs = tuple(specs)
        if len(self.chips) != len(specs) or not self._flow.count():
            self._make_chips(len(specs))
        for chip, spec in zip(self.chips, specs, strict=True):
            text, problem = self._words(spec)
            chip.setText(text)
            chip.setAccessibleName(tr("Member {name}", name=text))
            chip.setToolTip(problem or tr("{name}: click to change", name=text))
            set_role(chip, "chip-bad" if problem else "chip")
        self.add_button.setVisible(len(specs) < self._most)
        self._box.fit()

    def _make_chips(self, count: int) -> None:
        while self._flow.count():
            self._flow.takeAt(0)
        for old in self._box.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if old not in self._after:
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
        for widget in self._after:
            self._flow.addWidget(widget)

    def _words(self, spec: str) -> tuple[str, str]:
        """What a chip says, and what is wrong with it ("" for nothing)."""
        try:
            label = self._label(spec)
        except CodetteError as error:
            return spec, f"{error.message} {error.hint}".strip()
        query = "" if "(" in spec else spec.partition("?")[2]  # that of a single member
        query = query.replace("&", ", ").replace("=", " ").replace("_", " ")
        return (f"{label} · {query}" if query else label), ""

    # What the person does

    def edit(self, place: int) -> None:
        """Open the form of a member below its chip."""
        self._editing = place
        chip = self.chips[place]
        below = chip.mapToGlobal(QPoint(0, chip.height() + 4))
        self.popup.open_for(self._specs[place], self._entries(), self._roles(), below)

    def remove(self, place: int) -> None:
        """One less."""
        self.specs_changed.emit(tuple(spec for at, spec in enumerate(self._specs) if at != place))

    def _on_edited(self, spec: str) -> None:
        specs = list(self._specs)
        specs[self._editing] = spec
        self.specs_changed.emit(tuple(specs))

    def _on_add(self) -> None:
        taken = set(self._specs)
        names = [entry.name for entry in self._entries() if entry.model is not None]
        spec = next((name for name in names if name not in taken), None) or self._another(self._specs[-1:])
        self.specs_changed.emit((*self._specs, spec))
        self.edit(len(self._specs) - 1)

    def _another(self, like: Sequence[str]) -> str:
        """The same member as another sample of it."""
        head = like[0].partition("?")[0] if like else ""
        used = sum(spec.partition("?")[0] == head for spec in self._specs)
        return f"{head}?temperature=0.8&seed={used + 1}"

    def _on_duplicate(self) -> None:
        self.popup.hide()
        if len(self._specs) < self._most:
            self.specs_changed.emit((*self._specs, self._another([self._specs[self._editing]])))

    def _on_remove(self) -> None:
        self.popup.hide()
        self.remove(self._editing)
