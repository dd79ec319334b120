"""The form an answer must take: free text, JSON, what a JSON schema describes, or what a GBNF grammar allows."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.theme.manager import set_role, theme

ANY_JSON = '{"type": "object"}'
_FREE, _JSON, _SCHEMA, _GRAMMAR = range(4)


class AnswerFormat(QWidget):
    """`changed` tells every change by hand. What was typed for one form is kept while another is chosen."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._typed = {_SCHEMA: "", _GRAMMAR: ""}
        label = QLabel(tr("Form of the answer"), self)
        self.choice = QComboBox(self)
        self.choice.setAccessibleName(tr("Form of the answer"))
        self.choice.view().setAccessibleName(tr("Form of the answer"))
        self.choice.addItems([tr("Free text"), tr("JSON object"), tr("JSON schema"), tr("Grammar (GBNF)")])
        self.choice.setToolTip(tr("The model can only write what this form allows, so the answer always fits it."))
        label.setBuddy(self.choice)
        self.editor = QPlainTextEdit(self)
        self.editor.setAccessibleName(tr("JSON schema"))
        self.editor.setTabChangesFocus(True)
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        set_role(self.problem, "bad")
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (label, self.choice, self.editor, self.problem):
            column.addWidget(widget)
        self.choice.activated.connect(self._on_chosen)
        self.editor.textChanged.connect(self._on_typed)
        theme().changed.connect(self._apply)
        self._apply()
        self._show(_FREE)

    def apply_to(self, sampling: Sampling) -> Sampling:
        """`sampling` with the form chosen here; an empty text is no form."""
        kind = self.choice.currentIndex()
        schema = ANY_JSON if kind == _JSON else self._typed[_SCHEMA] if kind == _SCHEMA else ""
        grammar = self._typed[_GRAMMAR] if kind == _GRAMMAR else ""
        return sampling.with_changes(
            json_schema=schema if schema.strip() else None, grammar=grammar if grammar.strip() else None
        )

    def set_from(self, sampling: Sampling) -> None:
        """Show the form that `sampling` asks for."""
        if sampling == self.apply_to(sampling):
            return  # also where a form was chosen and nothing typed yet
        kind = _FREE
        if sampling.json_schema:
            kind = _JSON if sampling.json_schema == ANY_JSON else _SCHEMA
        elif sampling.grammar:
            kind = _GRAMMAR
        if kind in self._typed:
            self._typed[kind] = sampling.json_schema or sampling.grammar or ""
        self._show(kind)

    def show_problem(self, text: str) -> None:
        """Say under the text what is wrong with it; "" when nothing is."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def _show(self, kind: int) -> None:
        self.choice.setCurrentIndex(kind)
        self.show_problem("")
        self.editor.setVisible(kind in self._typed)
        if kind not in self._typed:
            return
        name = tr("JSON schema") if kind == _SCHEMA else tr("Grammar (GBNF)")
        example = '{"type": "object",\n "properties": {"city": {"type": "string"}},\n "required": ["city"]}'
        self.editor.setAccessibleName(name)
        self.editor.setPlaceholderText(example if kind == _SCHEMA else 'root ::= "yes" | "no"')
        self.editor.blockSignals(True)
        self.editor.setPlainText(self._typed[kind])
        self.editor.blockSignals(False)

    def _on_chosen(self, kind: int) -> None:
        self._show(kind)
        self.changed.emit()

    def _on_typed(self) -> None:
        self._typed[self.choice.currentIndex()] = self.editor.toPlainText()
        self.changed.emit()

    def _apply(self) -> None:
        self._column.setSpacing(theme().px(4))
        self.editor.setFixedHeight(theme().px(120))
        self.editor.setFont(theme().font(12, mono=True))
