"""What an experiment has found: the verdict in a sentence, how sure it is, and what it rests on."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.duels import Experiment, StoppingRule
from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.votes import VoteFilter
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.tabs.rate import board_wording, wording
from codette_desktop.gui.tabs.rate.chart_axis import points_axis, share_axis
from codette_desktop.gui.tabs.rate.interval_chart import ChartRow, IntervalChart
from codette_desktop.gui.tabs.rate.pair_matrix import PairMatrix
from codette_desktop.gui.tabs.rate.result_parts import Card, Figures, Notes, body_of, standing_rows, wrapped
from codette_desktop.gui.tabs.rate.standings_table import StandingsTable
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_icon, set_role
from codette_desktop.gui.widgets import ScrollColumn, dialogs
from codette_desktop.rating.leaderboard import Leaderboard, Standing
from codette_desktop.rating.verdict import Conclusion, PairVerdict, State

KINDS = ("csv", "dpo", "kto", "sft")


class VerdictPage(QWidget):
    """Draws what it is given. `export_wanted` carries one of KINDS; `votes_wanted` a VoteFilter.

    `end_wanted` follows after the person has confirmed it.
    """

    go_on_wanted = Signal()
    end_wanted = Signal()
    export_wanted = Signal(str)
    votes_wanted = Signal(object)
    delete_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._experiment: Experiment | None = None
        self._keys: list[str] = []
        self._tasks = Tasks(self._show_error)
        self.question = wrapped(role="secondary")
        self.verdict = wrapped(role="title")
        self.progress, self.ending = wrapped(), wrapped(role="secondary")
        self.problem = wrapped(role="bad")
        self.chart = IntervalChart(tr("How sure it is"))
        self.chart_card = Card("")
        self.matrix = PairMatrix()
        self.matrix_card = Card(
            tr("Each against each"),
            tr("How likely the row beats the column, by all votes. Enter or a double click shows the votes of a pair."),
        )
        self.figures = Figures()
        self.table = StandingsTable()
        self.counts_card = Card(tr("Votes"))
        self.notes = Notes()
        self.notes_card = Card(tr("What this rests on"))
        self.area = ScrollColumn()
        self._make_buttons()
        self._lay_out()
        self._connect()

    def _make_buttons(self) -> None:
        self.go_on_button = QPushButton(tr("Go on rating"))
        set_role(self.go_on_button, "primary")
        self.votes_button = QPushButton(tr("See the votes"))
        self.export_button = QPushButton(tr("Export …"))
        self.export_button.setProperty("menu", True)
        self.end_button = QPushButton(tr("End it now"))
        self.end_button.setToolTip(tr("Ask no more: the verdict then stands at what it is worth"))
        self.delete_button = QPushButton(tr("Delete"))
        self.delete_button.setToolTip(tr("Remove this experiment from the list; its votes stay"))
        set_role(self.delete_button, "ghost")
        set_icon(self.delete_button, "trash-2", colour="secondary")
        self.buttons = FlowBox(spacing=8)
        for button in (
            self.go_on_button, self.votes_button, self.export_button, self.end_button, self.delete_button,
        ):  # fmt: skip
            button.setAccessibleName(button.text())
            self.buttons.flow.addWidget(button)
        menu = QMenu(self.export_button)
        menu.setToolTipsVisible(True)
        for kind, text in export_kinds().items():
            action = menu.addAction(text)
            action.triggered.connect(lambda _=False, kind=kind: self.export_wanted.emit(kind))
        self.export_button.setMenu(menu)

    def _lay_out(self) -> None:
        for label in (self.verdict, self.progress, self.ending):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.chart_card.column.addWidget(self.chart)
        self.matrix_card.column.addWidget(self.matrix)
        self.counts_card.column.addWidget(self.figures)
        self.counts_card.column.addWidget(self.table)
        self.notes_card.column.addWidget(self.notes)
        self.problem.hide()
        column = body_of(self.area, (24, 20, 14, 24))  # the scroll bar is the rest of the right margin
        head = QVBoxLayout()
        spaced(head, spacing=6)
        for widget in (self.question, self.verdict, self.progress, self.ending):
            head.addWidget(widget)
        column.addLayout(head)
        for widget in (
            self.buttons, self.problem, self.chart_card, self.matrix_card, self.counts_card, self.notes_card,
        ):  # fmt: skip
            column.addWidget(widget)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(self.area)

    def _connect(self) -> None:
        self.go_on_button.clicked.connect(self.go_on_wanted)
        self.delete_button.clicked.connect(self.delete_wanted)
        self.votes_button.clicked.connect(lambda: self.votes_wanted.emit(self._votes()))
        self.end_button.clicked.connect(lambda: self._tasks.start(self._ask_to_end(), "ask to end an experiment"))
        self.matrix.activated.connect(self._open_pair)
        self.chart.activated.connect(self._open_row)
        self.table.opened.connect(self._open_standing)

    # What is shown

    def show_verdict(
        self,
        experiment: Experiment,
        conclusion: Conclusion,
        board: Leaderboard,
        usable: Mapping[str, int] | None = None,
        *,
        identical: int = 0,
        used_up: bool = False,
    ) -> None:
        """All of it anew. `usable` counts what tuning can take, by "dpo", "kto" and "sft"; `identical` the ties of
        answers that were equal word for word; `used_up` says that no prompt is left."""
        other = self._experiment is None or self._experiment.id != experiment.id
        self._experiment = experiment
        self.problem.hide()
        self.question.setText(experiment.question)
        self.verdict.setText(wording.headline(experiment, conclusion, board))
        self.setAccessibleName(self.verdict.text())
        self.progress.setText(wording.progress_text(experiment, conclusion, identical, used_up=used_up))
        self.ending.setText(wording.ending_text(experiment))
        self.ending.setVisible(experiment.ending is not None)
        self.go_on_button.setVisible(experiment.ending is None and not used_up)
        self.end_button.setVisible(experiment.ending is None)
        self.buttons.fit()
        self._show_chart(experiment, conclusion, board)
        self._show_counts(experiment, conclusion, board)
        self.notes.show_lines(_notes(experiment, board, usable, identical))
        if other:
            self.area.verticalScrollBar().setValue(0)

    def _show_chart(self, experiment: Experiment, conclusion: Conclusion, board: Leaderboard) -> None:
        margin = experiment.rule.margin
        two = len(experiment.contestants) == 2
        self.matrix_card.setVisible(not two)
        if two:
            pair = conclusion.pairs[0]
            self._keys = [experiment.contestants[place].key for place in (pair.first, pair.second)]
            self.chart_card.title.setText(tr("Share of the votes that decided"))
            self.chart_card.set_about(_share_about(experiment.rule))
            self.chart.show_rows(_share_rows(pair, experiment), share_axis(margin))
            return
        places = {item.key: place for place, item in enumerate(experiment.contestants)}
        standings = [item for item in board.standings if item.contestant.key in places]
        self._keys = [item.contestant.key for item in standings]
        self.chart_card.title.setText(tr("Ratings"))
        self.chart_card.set_about(
            tr("Points with 95 % intervals; the mean is 1,000. Two whose intervals overlap can still be told apart: "
               "see each against each.")
        )  # fmt: skip
        self.chart.show_rows(standing_rows(standings, places), points_axis(item.rating for item in standings))
        order = [places[key] for key in self._keys]
        order += [place for place in places.values() if place not in order]
        labels = {place: item.label for place, item in enumerate(experiment.contestants)}
        self.matrix.show_pairs(conclusion.pairs, labels, order, margin)

    def _show_counts(self, experiment: Experiment, conclusion: Conclusion, board: Leaderboard) -> None:
        two = len(experiment.contestants) == 2
        self.figures.setVisible(two)
        self.table.setVisible(not two)
        self.counts_card.set_about(board_wording.both_bad_text(sum(pair.count.both_bad for pair in conclusion.pairs)))
        if two:
            self.figures.show_figures(_figures(conclusion.pairs[0], experiment))
        else:
            keys = {item.key for item in experiment.contestants}
            self.table.show_standings([item for item in board.standings if item.contestant.key in keys])

    # What is opened

    def _votes(self, pair: tuple[str, str] | None = None, contestant: str = "") -> VoteFilter:
        experiment_id = self._experiment.id if self._experiment else ""
        return VoteFilter(experiment_id=experiment_id, pair=pair, contestant=contestant)

    def _open_pair(self, row: int, column: int) -> None:
        if self._experiment is not None:
            first, second = (self._experiment.contestants[place].key for place in sorted((row, column)))
            self.votes_wanted.emit(self._votes((first, second)))

    def _open_row(self, row: int) -> None:
        if row < len(self._keys):
            self.votes_wanted.emit(self._votes(contestant=self._keys[row]))

    def _open_standing(self, standing: Standing) -> None:
        self.votes_wanted.emit(self._votes(contestant=standing.contestant.key))

    async def _ask_to_end(self) -> None:
        if await dialogs.ask(
            self,
            tr("End this experiment now?"),
            tr(
                "Its rule was fixed at the start so that nobody stops when the score looks good. If you end it before, "
                "the verdict stands at what it is worth now, and no more duels are asked."
            ),
            accept=tr("End it now"),
            danger=True,
        ):
            self.end_wanted.emit()

    def _show_error(self, error: CodetteError) -> None:
        self.problem.setText(f"{error.message} {error.hint}".strip())
        self.problem.show()

    async def aclose(self) -> None:
        """Close what still asks."""
        await self._tasks.aclose()


def export_kinds() -> dict[str, str]:
    """What can be written into a file, in words."""
    return {
        "csv": tr("Votes as CSV …"),
        "dpo": tr("Preference pairs for DPO …"),
        "kto": tr("Labelled answers for KTO …"),
        "sft": tr("Corrections for SFT …"),
    }


def _share_rows(pair: PairVerdict, experiment: Experiment) -> list[ChartRow]:
    """Of both, and of the first with ties as half a win where one of them could be found equally good."""
    count = pair.count
    labels = [experiment.contestants[place].label for place in (pair.first, pair.second)]
    shown = [
        (labels[0], pair.first, pair.share, count.wins),
        (labels[1], pair.second, pair.share.reversed(), count.losses),
    ]
    rows: list[ChartRow] = []
    for label, place, found, wins in shown:
        tip = tr(
            "{label}: {n} of {total} votes that decided, {share}",
            label=label, n=number(wins), total=number(count.decisive), share=wording.share_text(found),
        )  # fmt: skip
        text = wording.share_text(found) if count.decisive else "–"
        rows.append(ChartRow(label, found, text, tip, place, faded=pair.state is State.TOO_EARLY))
    if experiment.rule.margin is not None and count.ties:
        label = tr("{name}, ties half", name=labels[0])
        tip = tr("{label}: wins and half of the ties, {share}", label=label, share=wording.share_text(pair.mean))
        rows.append(ChartRow(label, pair.mean, wording.share_text(pair.mean), tip, pair.first, faded=True))
    return rows


def _share_about(rule: StoppingRule) -> str:
    parts = [
        tr("The line holds the true share with {sure} certainty, however often one looks. It is settled when the line "
           "leaves out 50\N{NO-BREAK SPACE}%.", sure=wording.percent(1 - rule.alpha))
    ]  # fmt: skip
    if rule.margin is not None:
        parts.append(
            tr("The band is what counts as equally good; it is read against the share with ties as half a win.")
        )
    return " ".join(parts)


def _figures(pair: PairVerdict, experiment: Experiment) -> list[tuple[str, str, str]]:
    labels = [item.label for item in experiment.contestants]
    count = pair.count
    total = max(1, count.rated)
    return [
        (tr("{name} better", name=labels[pair.first]), number(count.wins), wording.percent(count.wins / total)),
        (tr("{name} better", name=labels[pair.second]), number(count.losses), wording.percent(count.losses / total)),
        (tr("Ties"), number(count.ties), wording.percent(count.ties / total)),
        (tr("Both bad"), number(count.both_bad), tr("apart")),
    ]


def _notes(
    experiment: Experiment, board: Leaderboard, usable: Mapping[str, int] | None, identical: int
) -> list[tuple[str, str]]:
    return [
        (tr("When it ends"), wording.rule_text(experiment.rule, len(experiment.contestants))),
        (tr("Left out"), board_wording.left_out_text(board.excluded, board.taken_back)),
        (tr("Equal answers"), wording.identical_text(identical)),
        (tr("Left or right"), board_wording.position_text(board.position)),
        (tr("For tuning"), wording.usable_text(usable) if usable is not None else ""),
    ]
