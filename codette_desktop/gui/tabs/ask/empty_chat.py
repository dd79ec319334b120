"""A new chat: three questions to begin with, and what this model is good for."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from codette_desktop.domain.models import AnyModel, ServerModel
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.styles import styled
from codette_desktop.gui.theme import set_icon, set_role

_SUGGESTION = """
QPushButton { text-align: left; padding: @11 @16; border: 1px solid @line; border-radius: @10; background: @surface; }
QPushButton:hover { background: @hover; border-color: @line_strong; }
QPushButton:focus { border: 2px solid @accent; padding: @10 @15; }
"""


class EmptyChat(QScrollArea):
    """`asked` is a question the person clicked."""

    asked = Signal(str)
    bigger_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("New chat"))
        page = QWidget()
        outer = QHBoxLayout(page)
        spaced(outer, (24, 24, 24, 24), 0)
        column = QWidget()
        sized(column, maximum=(620, 0))
        outer.addStretch(1)
        outer.addWidget(column, 1000)
        outer.addStretch(1)
        layout = QVBoxLayout(column)
        spaced(layout, spacing=8)
        self.title = QLabel()
        set_role(self.title, "title")
        self.title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.subtitle = QLabel()
        set_role(self.subtitle, "secondary")
        self.subtitle.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.subtitle.setWordWrap(True)
        self.questions = QVBoxLayout()
        spaced(self.questions, spacing=8)
        layout.addStretch(2)
        layout.addWidget(self.title)
        layout.addWidget(self.subtitle)
        layout.addSpacing(20)
        layout.addLayout(self.questions)
        layout.addSpacing(16)
        layout.addWidget(self._make_about())
        layout.addStretch(3)
        self.setWidget(page)
        self.show_model(None)

    def _make_about(self) -> QFrame:
        frame = QFrame()
        set_role(frame, "card")
        layout = QHBoxLayout(frame)
        spaced(layout, (16, 12, 12, 12), 16)
        self.about = QLabel()
        self.about.setWordWrap(True)
        set_role(self.about, "secondary")
        self.bigger = QPushButton(tr("Get a bigger model"))
        set_icon(self.bigger, "download", 14)
        self.bigger.clicked.connect(self.bigger_wanted)
        layout.addWidget(self.about, 1)
        layout.addWidget(self.bigger, 0, Qt.AlignmentFlag.AlignVCenter)
        return frame

    def show_model(self, model: AnyModel | None, *, auto: bool = False) -> None:
        """What is said depends on who answers. `auto`: that is chosen for each question."""
        self.title.setText(tr("Ask {model}", model=model.display_name) if model else tr("Ask"))
        starter = (model is None or model.starter) and not auto
        self.subtitle.setText(tr("For each question the model that suits it is asked.") if auto else _where(model))
        self.about.setText(_about_auto() if auto else _about(model))
        self.bigger.setText(tr("Get a bigger model") if starter else tr("More models"))
        while (item := self.questions.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for question in _starter_questions() if starter else _general_questions():
            self.questions.addWidget(self._question(question))

    def _question(self, text: str) -> QPushButton:
        button = QPushButton(text)
        styled(button, _SUGGESTION)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self.asked.emit(text))
        return button


def _starter_questions() -> list[str]:
    return [tr("How do I compare two models?"), tr("Why is this answer slow?"), tr("What is a quantised model?")]


def _general_questions() -> list[str]:
    return [
        tr("Explain how a bicycle stays upright, in five sentences."),
        tr("Write a polite reply that declines an invitation."),
        tr("What are the strengths and limits of a language model of your size?"),
    ]


def _where(model: AnyModel | None) -> str:
    if model is None:
        return tr("There is no model to ask yet.")
    if not isinstance(model, ServerModel):
        return tr("Everything runs on this computer. Nothing is sent anywhere.")
    if model.remote:
        return tr("What you ask is sent to {server}, outside this computer.", server=model.server)
    return tr("Answers come from {server}, a server on this computer.", server=model.server)


def _about_auto() -> str:
    return tr(
        "As you type, the line above your question says whom Auto would ask, and why. Only models on this computer are "
        "asked, unless the settings allow others. Models make mistakes and invent facts: check what matters."
    )


def _about(model: AnyModel | None) -> str:
    if model is None:
        return tr("Add a .gguf file or a folder of them, and it can be asked at once.")
    if model.starter:
        return tr(
            "{model} is a tiny model that ships with the application. It can explain Codette Desktop and local models, "
            "and nothing else: it will say so. For everything else you need a bigger model.",
            model=model.display_name,
        )
    if isinstance(model, ServerModel):
        return tr("{label}. Models make mistakes and invent facts: check what matters.", label=model.label)
    return tr(
        "{label} has {parameters} million parameters and sees {context} tokens at once. Models make mistakes and "
        "invent facts: check what matters.",
        label=model.label,
        parameters=number(model.parameters / 1e6),
        context=number(model.context_length),
    )
