"""The line above the question that says whom "auto" would ask, and why."""

import html

from PySide6.QtWidgets import QHBoxLayout, QWidget

from codette_desktop.domain.tasks import TaskType
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.theme import set_role
from codette_desktop.gui.widgets import ElidedLabel
from codette_desktop.inference.dispatch import Plan


class PlanLine(QWidget):
    """Hidden while there is nothing to say. The tooltip holds all reasons and the other candidates."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = ElidedLabel("")
        set_role(self.label, "secondary")
        self.label.setAccessibleName(tr("Whom Auto would ask"))
        layout = QHBoxLayout(self)
        spaced(layout, (14, 0, 14, 0), 0)
        layout.addWidget(self.label, 1)
        self.hide()

    def show_plan(self, plan: Plan | None) -> None:
        """Whom it would be; None hides the line."""
        self.setVisible(plan is not None)
        if plan is None:
            return
        self.label.setText(plan_text(plan))
        # Escaped, since Qt takes a tooltip for HTML where it looks like it, and names come from outside.
        self.label.setToolTip(f"<p style='white-space: pre-wrap'>{html.escape(plan_details(plan))}</p>")


def plan_text(plan: Plan) -> str:
    """ "Auto would ask Guide M · Q8_0 (coding): writes 212 tokens/s here, the fastest of two; ..."."""
    return tr(
        "Auto would ask {model} ({task}): {reasons}",
        model=plan.model.label,
        task=task_word(plan.task.type),
        reasons="; ".join(plan.reasons),
    )


def plan_details(plan: Plan) -> str:
    """All candidates with their scores and reasons, then those that were left out and why."""
    lines = [tr("What was read: {task}, because of: {words}", task=task_word(plan.task.type), words=_words(plan))]
    for place, candidate in enumerate(plan.ranking.candidates, 1):
        lines.append(f"{place}. {candidate.model.label} · {candidate.score:.2f}: {'; '.join(candidate.reasons)}")
    lines += [f"– {candidate.model.label}: {'; '.join(candidate.reasons)}" for candidate in plan.ranking.rejected]
    return "\n".join(lines)


def _words(plan: Plan) -> str:
    return ", ".join(plan.task.decided_by) or tr("nothing in particular")


def task_word(task: TaskType) -> str:
    """The kind of task in a person's word."""
    words = {
        TaskType.CODING: tr("coding"),
        TaskType.ARCHITECTURE: tr("architecture"),
        TaskType.TESTING: tr("testing"),
        TaskType.DEBUGGING: tr("debugging"),
        TaskType.DOCUMENTATION: tr("documentation"),
        TaskType.ANALYSIS: tr("analysis"),
        TaskType.PLANNING: tr("planning"),
    }
    return words.get(task, tr("general"))
