"""All parameters of `Sampling` as a form, each explained in words."""

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import set_role, theme
from codette_desktop.gui.widgets.answer_format import AnswerFormat
from codette_desktop.gui.widgets.parameter_field import ParameterField


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    text: str
    explanation: str
    minimum: float
    maximum: float
    step: float
    decimals: int = 0
    special: str = ""
    logarithmic: bool = False
    slider_maximum: float | None = None


def _rows() -> tuple[_Row, ...]:
    off = tr("off")
    return (
        _Row(
            "temperature",
            tr("Temperature"),
            tr(
                "How freely the model chooses. 0 always takes the most probable word and gives the same "
                "answer every time; above 1 it becomes erratic."
            ),
            0,
            5,
            0.05,
            2,
            slider_maximum=2,
        ),
        _Row(
            "top_p",
            tr("Top-p"),
            tr("Only the most probable words that together reach this share are considered. 1 switches it off."),
            0,
            1,
            0.01,
            2,
        ),
        _Row(
            "min_p",
            tr("Min-p"),
            tr("Words less probable than this share of the best one are not considered. 0 switches it off."),
            0,
            1,
            0.01,
            2,
            off,
        ),
        _Row(
            "top_k",
            tr("Top-k"),
            tr("Only this many of the most probable words are considered. 0 switches it off."),
            0,
            1_000_000,
            1,
            0,
            off,
            True,
            1_000,
        ),
        *_penalty_rows(off),
    )


def _penalty_rows(off: str) -> tuple[_Row, ...]:
    return (
        _Row(
            "repeat_penalty",
            tr("Repeat penalty"),
            tr("Above 1, words that were used lately become less probable. 1 switches it off."),
            0.1,
            5,
            0.01,
            2,
            slider_maximum=2,
        ),
        _Row(
            "frequency_penalty",
            tr("Frequency penalty"),
            tr("Makes a word less probable for each time it was used. 0 switches it off."),
            -2,
            2,
            0.05,
            2,
        ),
        _Row(
            "presence_penalty",
            tr("Presence penalty"),
            tr("Makes a word less probable once it was used at all. 0 switches it off."),
            -2,
            2,
            0.05,
            2,
        ),
        _Row(
            "penalty_window",
            tr("Penalty window"),
            tr("How many of the last tokens the three penalties look at."),
            0,
            1_000_000,
            1,
            0,
            off,
            True,
            4_096,
        ),
        *_end_rows(),
    )


def _end_rows() -> tuple[_Row, ...]:
    return (
        _Row(
            "max_tokens",
            tr("Longest answer"),
            tr(
                "The answer ends after this many tokens (about ¾ of a word each). Automatic uses all the "
                "room the context has."
            ),
            0,
            10_000_000,
            1,
            0,
            tr("automatic"),
            True,
            32_768,
        ),
        _Row(
            "seed",
            tr("Seed"),
            tr(
                "The same seed, model and parameters give the same answer again. Random draws a fresh "
                "one each time; the answer's details show it."
            ),
            -1,
            2**32 - 2,
            1,
            0,
            tr("random"),
            True,
        ),
    )


class SamplingForm(QWidget):
    """`changed` tells every change by hand or by code."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kept = Sampling()
        self._quiet = False
        self.fields: dict[str, ParameterField] = {}
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for row in _rows():
            field = ParameterField(
                row.name, row.text, row.explanation, minimum=row.minimum, maximum=row.maximum,
                default=_shown(self._kept, row.name), step=row.step, decimals=row.decimals, special=row.special,
                logarithmic=row.logarithmic, slider_maximum=row.slider_maximum, parent=self,
            )  # fmt: skip
            field.changed.connect(self._tell)
            self.fields[row.name] = field
            column.addWidget(field)
        self.stop = QPlainTextEdit(self)
        self._add_stop(column)
        self.format = AnswerFormat(self)
        self.format.changed.connect(self._tell)
        column.addWidget(self.format)
        column.addStretch(1)
        theme().changed.connect(self._apply)
        self._apply()

    def sampling(self) -> Sampling:
        """What the form says."""
        values = {name: field.value() for name, field in self.fields.items()}
        whole = {name: int(values[name]) for name in ("top_k", "penalty_window", "seed", "max_tokens")}
        sampling = self._kept.with_changes(
            **{name: round(value, 6) for name, value in values.items() if name not in whole},
            top_k=whole["top_k"],
            penalty_window=whole["penalty_window"],
            seed=whole["seed"] if whole["seed"] >= 0 else None,
            max_tokens=whole["max_tokens"] or None,
            stop=tuple(line for line in self.stop.toPlainText().split("\n") if line),
        )
        return self.format.apply_to(sampling)

    def set_sampling(self, sampling: Sampling) -> None:
        """Shows these parameters."""
        self._quiet = True
        self._kept = sampling
        for name, field in self.fields.items():
            field.set_value(_shown(sampling, name))
        self.stop.setPlainText("\n".join(sampling.stop))
        self.format.set_from(sampling)
        self._quiet = False
        self.changed.emit()

    def reset(self) -> None:
        """All to their defaults."""
        self.set_sampling(Sampling())

    def _add_stop(self, column: QVBoxLayout) -> None:
        label = QLabel(tr("Stop strings"), self)
        hint = QLabel(tr("One a line; the answer ends before any of them."), self)
        set_role(hint, "secondary")
        hint.setWordWrap(True)
        label.setBuddy(self.stop)
        self.stop.setAccessibleName(tr("Stop strings, one a line"))
        self.stop.setToolTip(tr("One a line; the answer ends before any of them."))
        self.stop.setTabChangesFocus(True)
        self.stop.textChanged.connect(self._tell)
        for widget in (label, self.stop, hint):
            column.addWidget(widget)

    def _tell(self) -> None:
        if not self._quiet:
            self.changed.emit()

    def _apply(self) -> None:
        self._column.setSpacing(theme().px(8))
        self.stop.setFixedHeight(theme().px(64))


def _shown(sampling: Sampling, name: str) -> float:
    value = getattr(sampling, name)
    if value is None:
        return -1 if name == "seed" else 0
    return float(value)
