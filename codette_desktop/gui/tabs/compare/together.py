"""The last column: the one answer, and under it, folded, how it came about."""

import html

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from codette_desktop.domain.comparisons import TOGETHER
from codette_desktop.domain.ensembles import Method, Outcome
from codette_desktop.domain.joint import JointToken
from codette_desktop.gui.flow_layout import FlowBox
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tabs.compare.bars import Bar, Bars
from codette_desktop.gui.tabs.compare.column import LEAST_WIDTH, series_colour
from codette_desktop.gui.tabs.compare.state import CompareState
from codette_desktop.gui.theme import set_role, theme
from codette_desktop.gui.theme.tokens import contrast
from codette_desktop.gui.widgets import ChipButton, ElidedLabel, IconButton, MarkdownView, StatusDot
from codette_desktop.gui.widgets.scroll_column import ScrollColumn


def method_name(method: Method) -> str:
    """In a person's word."""
    return {
        Method.NONE: tr("Side by side"),
        Method.VOTE: tr("Vote"),
        Method.WEIGHTED: tr("Weighted vote"),
        Method.CONSENSUS: tr("Consensus"),
        Method.HYBRID: tr("As few as needed"),
        Method.TOKEN: tr("Token by token"),
    }[method]


def method_tip(method: Method) -> str:
    """What it does, for somebody who has never heard of it."""
    return {
        Method.NONE: tr("The answers stand beside each other; none is chosen."),
        Method.VOTE: tr(
            "For questions with one right answer (a number, a choice, yes or no): the answer most of them give."
        ),
        Method.WEIGHTED: tr(
            "As a vote, but those count more that were right more often before, and that are surer of this answer."
        ),
        Method.CONSENSUS: tr(
            "For open questions: the answer that is most like all the others. A judge may write one from them."
        ),
        Method.HYBRID: tr("Asks one model, then a second if that one is not sure, then the others if they disagree."),
        Method.TOKEN: tr("The models write one answer together, word part by word part. Models on this computer only."),
    }[method]


_COLOURS_EVERY_MS = 200
_TEXT_PX = 15  # as an answer's


class TogetherColumn(QFrame):
    """What came of the ensemble."""

    copied = Signal(str)
    measure_wanted = Signal()
    use_wanted = Signal()
    chat_wanted = Signal()
    link_activated = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = CompareState()
        self._streams = False  # what is shown was appended piece by piece, and is not finished
        set_role(self, "card")
        sized(self, minimum=(LEAST_WIDTH, 0))
        self.setAccessibleName(tr("The answer they give together"))
        self.name = ElidedLabel(tr("Together"), role="strong")
        self.how = ElidedLabel("", role="secondary")
        self.working = QLabel()
        self.disagree = StatusDot("warning", tr("The models disagree"))
        self.markdown = MarkdownView()
        self.markdown.link_activated.connect(self.link_activated)
        self.coloured = QLabel()
        self.legend = QLabel()
        self.reasons = QLabel()
        self.tally, self.weights = Bars(tr("Votes")), Bars(tr("Weights"))
        self.tally_head, self.weights_head = _heading(tr("Votes")), _heading(tr("Weights"))
        self.quality = QLabel()
        self.colours_button = ChipButton(tr("Who decided"), "eye")
        self.fold_button = ChipButton(tr("How it came about"), "chevron-down")
        self.copy_button = IconButton("copy", tr("Copy"))
        self.measure_button = IconButton("gauge", tr("Measure this ensemble"))
        self.use_button = ChipButton(tr("Use this"), "check")
        self.use_button.setToolTip(tr("Take this answer: it is marked here, and put into the chat it was asked from"))
        self.chat_button = IconButton("message-square", tr("Continue this one as a chat"))
        self._later = QTimer(self)  # colours are drawn anew as a whole, so not with each token
        self._later.setSingleShot(True)
        self._later.setInterval(_COLOURS_EVERY_MS)
        self._later.timeout.connect(self._show_text)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        for label, role in ((self.working, "secondary"), (self.reasons, ""), (self.quality, "secondary")):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            set_role(label, role)
        for label in (self.coloured, self.legend):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.RichText)
        self.coloured.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reasons.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        top = QVBoxLayout()
        spaced(top, (14, 12, 14, 8), 2)
        for widget in (self.name, self.how):
            top.addWidget(widget)
        self.details = QWidget()
        details = QVBoxLayout(self.details)
        spaced(details, (0, 8, 0, 0), 8)
        for widget in (self.quality, self.tally_head, self.tally, self.weights_head, self.weights, self.reasons):
            details.addWidget(widget)
        self.area = ScrollColumn(colour="surface", follow=False)
        spaced(self.area.column, (14, 4, 10, 8), 8)
        chips = FlowBox()
        chips.flow.addWidget(self.fold_button)
        chips.flow.addWidget(self.colours_button)
        for widget in (self.disagree, self.working, self.markdown, self.coloured, self.legend):
            self.area.column.addWidget(widget)
        self.area.column.addWidget(chips)
        self.area.column.addWidget(self.details)
        self.area.column.addStretch(1)
        foot = QHBoxLayout()
        spaced(foot, (10, 6, 10, 10), 4)
        foot.addWidget(self.use_button)
        foot.addStretch(1)
        for button in (self.measure_button, self.chat_button, self.copy_button):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        spaced(column, (1, 1, 1, 1), 0)
        column.addLayout(top)
        column.addWidget(self.area, 1)
        column.addLayout(foot)

    def _connect(self) -> None:
        self.fold_button.setCheckable(True)
        self.fold_button.setChecked(True)
        self.fold_button.toggled.connect(lambda _on: self._show_details())
        self.colours_button.setCheckable(True)
        self.colours_button.setToolTip(tr("Colour each piece by the model whose first choice it was"))
        self.colours_button.toggled.connect(lambda _on: self._show_text())
        self.copy_button.clicked.connect(lambda: self.copied.emit(self.text()))
        self.measure_button.clicked.connect(self.measure_wanted)
        self.measure_button.setToolTip(tr("Measure this ensemble: is it really better than its best member?"))
        self.use_button.clicked.connect(self.use_wanted)
        self.chat_button.clicked.connect(self.chat_wanted)
        theme().changed.connect(self._show_text)

    def text(self) -> str:
        """The one answer."""
        state = self._state
        if state.outcome is not None:
            return state.outcome.text
        return "".join(state.together) or "".join(token.text for token in state.joint)

    def show_state(self, state: CompareState) -> None:
        """All of it anew."""
        self._state = state
        outcome = state.outcome
        self.how.setText(self._how(outcome))
        self.working.setText("" if outcome else (state.working[-1] if state.working else tr("Waits for the answers …")))
        self.working.setVisible(outcome is None and state.running)
        if outcome is None and not state.running:
            self.working.setText(tr("Nothing was decided."))
            self.working.show()
        self.disagree.setVisible(outcome is not None and outcome.disagree)
        self.copy_button.setEnabled(bool(self.text()))
        done = outcome is not None and bool(outcome.text.strip()) and not state.running
        self.use_button.setText(tr("Used") if state.chosen == TOGETHER else tr("Use this"))
        self.use_button.setEnabled(done)
        self.chat_button.setEnabled(done)
        self._show_text()
        self._show_details()

    def grew(self, state: CompareState, text: str) -> None:
        """More of the one answer, while it is written."""
        if state is not self._state:
            self.show_state(state)
        elif self.colours_button.isChecked():
            if not self._later.isActive():
                self._later.start()
        elif self.markdown.isHidden():
            self.markdown.clear()
            self.markdown.show()
            self._streams = True
            self.markdown.append(self.text())
        else:
            self.markdown.append(text)

    def _how(self, outcome: Outcome | None) -> str:
        if outcome is None:
            return method_name(self._state.method)
        if outcome.synthesised:
            return tr("Synthesised by {model}", model=outcome.judge)
        if outcome.winner is not None:
            label = self._state.columns[outcome.winner].member.label
            return tr("{method} · the words of {member}", method=method_name(outcome.used), member=label)
        return method_name(outcome.used)

    def _show_text(self) -> None:
        tokens = tuple(self._state.joint) or (self._state.outcome.tokens if self._state.outcome else ())
        coloured = bool(tokens) and self.colours_button.isChecked()
        self.colours_button.setVisible(bool(tokens))
        self.coloured.setVisible(coloured)
        self.legend.setVisible(coloured)
        self.markdown.setVisible(not coloured and bool(self.text()))
        if coloured:
            size = theme().px(_TEXT_PX)
            self.coloured.setText(f"<div style='font-size: {size}px'>{''.join(map(_piece, tokens))}</div>")
            self.legend.setText(self._legend(tokens))
        elif self.text() != self.markdown.text():
            self.markdown.set_markdown(self.text())
            self._streams = False
        if self._streams and self._state.outcome is not None:
            self.markdown.finish()
            self._streams = False

    def _legend(self, tokens: tuple[JointToken, ...]) -> str:
        parts = [
            f"<span style='{_style((place,))}'>&nbsp;{_unbroken(column.member.label)}&nbsp;</span>"
            for place, column in enumerate(self._state.columns)
        ]
        words = [tr("Plain: more than one of them would have said it."), tr("Underlined: none of them alone.")]
        fused = sum(token.fused for token in tokens)
        words.append(tr("Decided together: {n} of {count}.", n=number(fused), count=number(len(tokens))))
        return f"{' '.join(parts)}<br>{html.escape(' '.join(words))}"

    def _show_details(self) -> None:
        outcome = self._state.outcome
        self.fold_button.setVisible(outcome is not None)
        self.details.setVisible(outcome is not None and self.fold_button.isChecked())
        if outcome is None:
            return
        self.quality.setText(
            tr(
                "Agreement {agreement}\N{NO-BREAK SPACE}% · quality of the consensus {quality}\N{NO-BREAK SPACE}%",
                agreement=number(100 * outcome.agreement),
                quality=number(100 * outcome.quality),
            )
        )
        labels = [column.member.label for column in self._state.columns]
        self.tally.show_bars(
            [Bar(f"{choice.answer}  ({_names(labels, choice.members)})", choice.weight, choice.members)
             for choice in outcome.tally]
        )  # fmt: skip
        self.tally_head.setVisible(bool(outcome.tally))
        shown = outcome.used is Method.WEIGHTED or (not outcome.tally and len(set(outcome.weights)) > 1)
        weights = outcome.weights if shown else ()
        self.weights.show_bars([Bar(labels[at], weight, (at,)) for at, weight in enumerate(weights) if weight])
        self.weights_head.setVisible(bool(weights))
        self.reasons.setText("\n".join(f"• {reason}" for reason in outcome.reasons))

    def discard(self) -> None:
        """Nothing may be drawn with the next frame."""
        self.markdown.clear()


def _names(labels: list[str], places: tuple[int, ...]) -> str:
    return ", ".join(labels[place] for place in dict.fromkeys(places) if place < len(labels))


def _piece(token: JointToken) -> str:
    text = html.escape(token.text).replace("\n", "<br>")
    if token.fused and not token.decided_by:
        return f"<u>{text}</u>"
    only = token.decided_by if token.asked > 1 and len(token.decided_by) == 1 else ()
    return f"<span style='{_style(only)}'>{text}</span>" if only else text


def _style(places: tuple[int, ...]) -> str:
    if not places:
        return ""
    colour = series_colour(places[0])
    return f"background-color: {colour}; color: {'#000000' if _is_light(colour) else '#ffffff'}"


def _is_light(colour: str) -> bool:
    return contrast(colour, "#000000") > contrast(colour, "#ffffff")


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    set_role(label, "secondary")
    return label


def _unbroken(label: str) -> str:
    return html.escape(label).replace(" ", "&nbsp;")
