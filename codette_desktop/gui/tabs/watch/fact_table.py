"""Facts as one text in columns that can be selected: names, one or two values, and what differs."""

import html
from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.watch.flights.flight_facts import Line, compared, sections_of
from codette_desktop.gui.tabs.watch.flights.flight_record import FlightRecord
from codette_desktop.gui.theme import theme
from codette_desktop.gui.theme.tokens import MONO_FAMILY, UI_FAMILY
from codette_desktop.gui.widgets.fact_document import FactDocument


class FactTable(FactDocument):
    """As high as its content; the page around it scrolls."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("All that was measured"), parent)
        self._records: Sequence[FlightRecord] = ()

    def show_records(self, records: Sequence[FlightRecord]) -> None:
        """One, or two beside each other with what differs."""
        self._records = records
        self.draw()

    def draw(self) -> None:
        """See `FactDocument`."""
        rows: list[str] = []
        if len(self._records) == 2:
            rows.append(_row("", (tr("First"), tr("Second"), tr("Difference")), head=True))
            for title, lines in compared(self._records[0], self._records[1]):
                rows.append(_title(title, 4))
                rows += [_line(line) for line in lines]
        elif self._records:
            for section in sections_of(self._records[0]):
                rows.append(_title(section.title, 2))
                rows += [_row(fact.name, (fact.text,)) for fact in section.facts]
        self.show_rows(rows)


def _title(text: str, span: int) -> str:
    px = theme().px
    style = f'font-family:"{UI_FAMILY}"; font-size:{px(12)}px; font-weight:600; color:{theme().tokens.text}'
    return f"<tr><td colspan='{span}' style='{style}; padding-top:{px(10)}px'>{html.escape(text)}</td></tr>"


def _row(name: str, values: Sequence[str], *, head: bool = False) -> str:
    tokens, size = theme().tokens, theme().px(12)
    first = 20 if len(values) > 1 else 24
    widths = (100 - first,) if len(values) == 1 else (30, 30, 20)
    family, colour = (UI_FAMILY, tokens.secondary) if head else (MONO_FAMILY, tokens.text)
    style = f'font-family:"{family}"; font-size:{size}px; color:{colour}'
    named = f"<td width='{first}%' style='color:{tokens.secondary}; font-size:{size}px'>{html.escape(name)}</td>"
    cells = [
        f"<td width='{width}%' style='{style}'>{_escaped(text)}</td>"
        for text, width in zip(values, widths, strict=True)
    ]
    return f"<tr>{named}{''.join(cells)}</tr>"


def _line(line: Line) -> str:
    """What differs has a word, a bold second value and a soft ground."""
    tokens, size = theme().tokens, theme().px(12)
    ground = f"background-color:{tokens.accent_soft};" if line.difference else ""
    style = f'{ground} font-family:"{MONO_FAMILY}"; font-size:{size}px; color:{tokens.text}'
    weight = "600" if line.difference else "400"
    name = f"<td width='20%' style='color:{tokens.secondary}; font-size:{size}px'>{html.escape(line.name)}</td>"
    return (
        f"<tr>{name}<td width='30%' style='{style}'>{_escaped(line.left)}</td>"
        f"<td width='30%' style='{style}; font-weight:{weight}'>{_escaped(line.right)}</td>"
        f"<td width='20%' style='{style}'>{html.escape(line.difference)}</td></tr>"
    )


def _escaped(text: str) -> str:
    return html.escape(text or "–").replace("\n", "<br>")
