"""The page on which an experiment is begun: who meets whom, over which prompts, and when it ends."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from codette_desktop.domain.duels import PromptSource
from codette_desktop.domain.roles import Role
from codette_desktop.evaluation.suites import shipped_suites
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.model_choice import Entry
from codette_desktop.gui.tabs.rate.contestant_bar import ContestantBar
from codette_desktop.gui.tabs.rate.state import MARGINS, RateSetup
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.widgets import ChipButton, ScrollColumn, SegmentedControl
from codette_desktop.gui.widgets.parameter_field import inset_spin_box

_NARROW = 560  # design pixels; names stand above their fields in less
SOURCES = (PromptSource.MIXED, PromptSource.HISTORY, PromptSource.SUITE, PromptSource.TYPED)


class SetupPage(QWidget):
    """`changed` carries the setup as it stands now."""

    changed = Signal(object)
    start_wanted = Signal()
    file_wanted = Signal()

    def __init__(
        self,
        label: Callable[[str], str],
        entries: Callable[[], Sequence[Entry]],
        roles: Callable[[], Sequence[Role]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._setup = RateSetup()
        self._rows: list[tuple[QLabel, QWidget]] = []
        self.contestants = ContestantBar(label, entries, roles)
        self.contestants.specs_changed.connect(lambda specs: self._change(specs=specs))
        self.source = SegmentedControl([(item.value, source_name(item)) for item in SOURCES], tr("Prompts"))
        self.source.changed.connect(lambda key: self._change(source=PromptSource(key)))
        self.typed = QPlainTextEdit()
        self.suite = QComboBox()
        self.question = QLineEdit()
        self.most_votes = QSpinBox()
        self.margin = QComboBox()
        self.estimate = QLabel()
        self.problem = QLabel()
        self.start_button = QPushButton(tr("Start rating"))
        self._make_fields()
        self._lay_out()

    def _make_fields(self) -> None:
        self.typed.setPlaceholderText(tr("One prompt a line"))
        self.typed.setAccessibleName(tr("Prompts, one a line"))
        self.typed.setTabChangesFocus(True)
        self.typed.textChanged.connect(lambda: self._change(typed=self.typed.toPlainText()))
        sized(self.typed, minimum=(0, 80), maximum=(0, 120))
        self.suite.setAccessibleName(tr("Suite"))
        for path in shipped_suites():
            self.suite.addItem(path.stem.capitalize(), path.stem)
        self.suite.activated.connect(lambda _at: self._change(suite=self.suite.currentData()))
        self.question.setAccessibleName(tr("Question"))
        self.question.setPlaceholderText(tr("Optional, for example: Is Q4 as good as Q8?"))
        self.question.textEdited.connect(lambda text: self._change(question=text))
        self.question.returnPressed.connect(self.start_wanted)
        self.most_votes.setRange(10, 100_000)
        self.most_votes.setSingleStep(50)
        self.most_votes.setSuffix(tr(" votes"))
        self.most_votes.setAccessibleName(tr("At most"))
        inset_spin_box(self.most_votes)
        self.most_votes.valueChanged.connect(lambda value: self._change(most_votes=value))
        self.margin.setAccessibleName(tr("Equally good"))
        for margin in (*MARGINS, None):
            self.margin.addItem(margin_name(margin), margin)
        self.margin.setToolTip(
            tr("Two whose share of wins lies in there for certain count as equally good. A tie is half a win.")
        )
        self.margin.activated.connect(lambda _at: self._change(margin=self.margin.currentData()))
        for label, role in ((self.estimate, "secondary"), (self.problem, "bad")):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            set_role(label, role)
        self.problem.hide()
        set_role(self.start_button, "primary")
        self.start_button.clicked.connect(self.start_wanted)

    def _lay_out(self) -> None:
        title = QLabel(tr("Which answers do you prefer?"))
        title.setWordWrap(True)
        set_role(title, "title")
        text = QLabel(
            tr(
                "Two answers appear without names, in random places. You say which is better, and see who wrote them. "
                "After enough votes it is settled who is preferred, however often you looked; before that it is not."
            )
        )
        text.setWordWrap(True)
        set_role(text, "secondary")
        area = ScrollColumn()
        column = area.column
        spaced(column, (24, 16, 24, 24), 12)
        column.addWidget(title)
        column.addWidget(text)
        column.addWidget(self._make_form())
        column.addWidget(self.estimate)
        column.addWidget(self.problem)
        row = QHBoxLayout()
        spaced(row, spacing=8)
        row.addWidget(self.start_button)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(area)

    def _make_form(self) -> QWidget:
        form = QWidget()
        self._grid = QGridLayout(form)
        spaced(self._grid, spacing=12)
        ends = FlowBox(spacing=8)
        between = QLabel(tr("or as soon as it is settled; equally good means"))
        set_role(between, "secondary")
        sized(between, minimum=(0, 30))  # on the line of the controls beside it
        for widget in (self.most_votes, between, self.margin):
            ends.flow.addWidget(widget)
        rows = (
            (tr("Contestants"), self.contestants),
            (tr("Prompts"), self._make_prompts()),
            (tr("Question"), self.question),
            (tr("Ends after"), ends),
        )
        for name, widget in rows:
            label = QLabel(name)
            label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            self._rows.append((label, widget))
        self._place_rows(narrow=False)
        return form

    def _place_rows(self, *, narrow: bool) -> None:
        """Names beside the fields, or above them where there is no room."""
        self._narrow = narrow
        self._grid.setColumnStretch(0 if narrow else 1, 1)
        self._grid.setColumnStretch(1 if narrow else 0, 0)
        for at, (label, widget) in enumerate(self._rows):
            # on the line of the controls beside it
            label.setContentsMargins(0, 0 if narrow else 6, 8, 0)
            self._grid.addWidget(label, 2 * at, 0)
            self._grid.addWidget(widget, 2 * at + narrow, 0 if narrow else 1)
        self._grid.setVerticalSpacing(theme().px(6 if narrow else 12))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < theme().px(_NARROW)
        if narrow is not self._narrow:
            self._place_rows(narrow=narrow)

    def _make_prompts(self) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        spaced(column, spacing=8)
        self._said = QLabel()
        self._said.setWordWrap(True)
        set_role(self._said, "secondary")
        self.file_button = ChipButton(tr("From a file …"), "folder-open")
        self.file_button.setToolTip(tr("CSV with a column “prompt”, JSON lines, or text with one prompt a line"))
        self.file_button.clicked.connect(self.file_wanted)
        column.addWidget(self.source, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._said)
        column.addWidget(self.suite, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.typed)
        column.addWidget(self.file_button, 0, Qt.AlignmentFlag.AlignLeft)
        return box

    # What is shown

    def show_setup(self, setup: RateSetup) -> None:
        """As it stands; what is being typed stays."""
        self._setup = setup
        self.contestants.show_specs(setup.specs)
        self.source.blockSignals(True)
        self.source.set_current(setup.source.value)
        self.source.blockSignals(False)
        self._said.setText(source_tip(setup.source))
        self.suite.setVisible(setup.source is PromptSource.SUITE)
        for widget in (self.typed, self.file_button):
            widget.setVisible(setup.source is PromptSource.TYPED)
        if self.typed.toPlainText() != setup.typed:
            self.typed.setPlainText(setup.typed)
        if self.question.text() != setup.question:
            self.question.setText(setup.question)
        self.suite.setCurrentIndex(max(0, self.suite.findData(setup.suite)))
        self.most_votes.blockSignals(True)
        self.most_votes.setValue(setup.most_votes)
        self.most_votes.blockSignals(False)
        self.margin.setCurrentIndex(max(0, self.margin.findData(setup.margin)))
        typed = setup.typed if setup.source is PromptSource.TYPED else ""
        prompts = {line.strip() for line in typed.splitlines()} - {""}
        self.estimate.setText(estimate_words(len(setup.specs), len(prompts)))
        self.start_button.setEnabled(len(setup.specs) > 1)

    def show_problem(self, text: str) -> None:
        """Why it cannot be begun like this; "" for nothing."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def set_busy(self, busy: bool) -> None:
        """Whether an experiment is being begun."""
        self.start_button.setEnabled(not busy and len(self._setup.specs) > 1)

    def _change(self, **changes: object) -> None:
        setup = replace(self._setup, **changes)  # type: ignore[arg-type]
        if setup != self._setup:
            self.show_problem("")
            self.changed.emit(setup)


def source_name(source: PromptSource) -> str:
    """Where prompts come from, in a word or two."""
    return {
        PromptSource.MIXED: tr("Chosen for you"),
        PromptSource.HISTORY: tr("My questions"),
        PromptSource.SUITE: tr("A suite"),
        PromptSource.TYPED: tr("Typed"),
    }[source]


def source_tip(source: PromptSource) -> str:
    """Where they come from, in a sentence."""
    return {
        PromptSource.MIXED: tr(
            "The first questions of your own chats; where these are fewer than 20, the questions that come with the "
            "application too."
        ),
        PromptSource.HISTORY: tr("The first questions of your own chats: what you really ask."),
        PromptSource.SUITE: tr("A set of questions that comes with the application."),
        PromptSource.TYPED: tr("Yours, one a line. Each is asked once of each pair."),
    }[source]


def margin_name(margin: float | None) -> str:
    """Which share of wins counts as equal."""
    if margin is None:
        return tr("never called")
    low, high = number(100 * (0.5 - margin)), number(100 * (0.5 + margin))
    return tr("{low} to {high} % of wins", low=low, high=high)


def estimate_words(contestants: int, prompts: int = 0) -> str:
    """How many votes a verdict takes: medians of simulated duels with a quarter of ties (tests/benchmarks). And how
    many can be cast on that many `prompts`, 0 for not known."""
    if contestants < 2:
        return tr("Choose at least two contestants.")
    words = tr(
        "What a verdict between two takes, about: 30 votes where 8 of 10 go one way, 60 at 7 of 10, 280 at 6 of 10."
    )
    if contestants > 2:
        pairs = contestants * (contestants - 1) // 2
        words += " " + tr("With {n} contestants there are {pairs} pairs.", n=contestants, pairs=pairs)
    if prompts == 1:
        words += " " + tr("Your one prompt gives each pair one duel.")
    elif prompts:
        words += " " + tr("Your {n} prompts give each pair at most {n} duels.", n=number(prompts))
    return words
