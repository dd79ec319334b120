"""Who meets whom: a chip for each contestant, a model with persona and parameters or several models with a method."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QWidget

from codette_desktop.domain.ensembles import Method
from codette_desktop.domain.roles import Role
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.model_choice import Entry
from codette_desktop.gui.spec_bar import SpecBar
from codette_desktop.gui.tabs.compare.together import method_name, method_tip
from codette_desktop.gui.widgets import ChipButton
from codette_desktop.rating.contestants import MOST_CONTESTANTS, joined_spec, split_spec


class ContestantBar(SpecBar):
    """See `SpecBar`. An ensemble is made of the single contestants that stand there, or of all models."""

    def __init__(
        self,
        label: Callable[[str], str],
        entries: Callable[[], Sequence[Entry]],
        roles: Callable[[], Sequence[Role]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(label, entries, roles, MOST_CONTESTANTS, parent)
        self.add_button.setToolTip(tr("Another model, quantisation, adapter, persona, or set of parameters"))
        self.ensemble_button = ChipButton(tr("Add an ensemble"), "layers")
        self.ensemble_button.setToolTip(tr("One answer made of those that stand here: does it beat each of them?"))
        self.ensemble_button.clicked.connect(self._show_methods)
        self.add_after(self.ensemble_button)

    def show_specs(self, specs: Sequence[str]) -> None:
        """These answer."""
        super().show_specs(specs)
        self.ensemble_button.setEnabled(len(self._singles()) > 1)
        self.ensemble_button.setVisible(len(specs) < MOST_CONTESTANTS)

    def edit(self, place: int) -> None:
        """The form of a single one; of an ensemble its method."""
        method, members = split_spec(self._specs[place])
        if method is Method.NONE:
            super().edit(place)
            return
        menu = self._methods_menu(lambda chosen: self._replace(place, joined_spec(chosen, members)), method)
        menu.addSeparator()
        menu.addAction(tr("Remove")).triggered.connect(lambda: self.remove(place))
        chip = self.chips[place]
        menu.popup(chip.mapToGlobal(QPoint(0, chip.height() + 4)))

    def _singles(self) -> tuple[str, ...]:
        return tuple(spec for spec in self._specs if split_spec(spec)[0] is Method.NONE)

    def _show_methods(self) -> None:
        menu = self._methods_menu(lambda method: self._add(joined_spec(method, self._singles())))
        menu.popup(self.ensemble_button.mapToGlobal(QPoint(0, self.ensemble_button.height() + 4)))

    def _methods_menu(self, work: Callable[[Method], None], chosen: Method | None = None) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for method in Method:
            if method is Method.NONE:
                continue
            action = menu.addAction(method_name(method))
            action.setToolTip(method_tip(method))
            action.setCheckable(chosen is not None)
            action.setChecked(method is chosen)
            action.triggered.connect(lambda _=False, method=method: work(method))
        return menu

    def _add(self, spec: str) -> None:
        self.specs_changed.emit((*self._specs, spec))

    def _replace(self, place: int, spec: str) -> None:
        self.specs_changed.emit(tuple(spec if at == place else old for at, old in enumerate(self._specs)))
