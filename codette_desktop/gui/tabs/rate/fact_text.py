"""All that is stored of a vote, as one text in columns: it can be selected, and long hashes break anywhere."""

import html
from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.rate.vote_wording import Fact
from codette_desktop.gui.theme import theme
from codette_desktop.gui.theme.tokens import MONO_FAMILY, UI_FAMILY
from codette_desktop.gui.widgets.fact_document import FactDocument

NAME_SHARE = 20  # per cent of the width that the names take


class FactText(FactDocument):
    """As high as its content; the page around it scrolls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("All that is stored"), parent)
        self._facts: tuple[Sequence[Fact], Sequence[Fact]] = ((), ())

    def show_facts(self, whole: Sequence[Fact], sides: Sequence[Fact]) -> None:
        """Of the vote as a whole, then what belongs to each side."""
        self._facts = (whole, sides)
        self.draw()

    def draw(self) -> None:
        """See `FactDocument`."""
        whole, sides = self._facts
        two = any(fact.right is not None for fact in sides)
        rows = [_row(fact.name, (fact.left,), 2 if two else 1) for fact in whole]
        if sides:
            heads = (tr("Left"), tr("Right")) if two else (tr("Answer"),)
            rows.append(_row("", heads, 1, head=True))
        rows += [_row(fact.name, (fact.left, fact.right or "") if two else (fact.left,), 1) for fact in sides]
        self.show_rows(rows)


def _row(name: str, values: Sequence[str], span: int, *, head: bool = False) -> str:
    tokens, size = theme().tokens, theme().px(12)
    width = (100 - NAME_SHARE) // len(values)
    first = f"<td width='{NAME_SHARE}%' style='color:{tokens.secondary}; font-size:{size}px'>{html.escape(name)}</td>"
    family = UI_FAMILY if head else MONO_FAMILY
    weight = "600" if head else "400"
    style = f'font-family:"{family}"; font-size:{size}px; font-weight:{weight}; color:{tokens.text}'
    lines = [html.escape(text or "–").replace("\n", "<br>") for text in values]
    cells = [f"<td width='{width}%' colspan='{span}' style='{style}'>{text}</td>" for text in lines]
    return f"<tr>{first}{''.join(cells)}</tr>"
