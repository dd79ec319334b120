"""The response cache in the settings: whether, how much and how long, how much it is of use, and emptying it."""

import asyncio
from dataclasses import replace

import shiboken6
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.errors import StoreError
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.layouts import spaced
from codette_desktop.gui.settings.parts import number_box, section
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_icon
from codette_desktop.inference.cache.responses import CacheStatistics, ResponseCache

_MOST_ENTRIES = 1_000_000
_HOUR_S, _DAY_S = 3_600, 86_400


class CacheSection(QWidget):
    """A card of the settings dialog."""

    def __init__(self, cache: ResponseCache, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cache = cache
        self._tasks = Tasks()
        settings = cache.settings
        self.enabled_box = _check_box(tr("Give known answers again"), settings.enabled, "enabled", self)
        self.sampled_box = _check_box(tr("Also sampled answers"), settings.reuse_sampled, "reuse_sampled", self)
        self.entries_box = number_box(tr("Most answers kept"), _MOST_ENTRIES, 100, settings.entries)
        self.entries_box.setMinimum(1)
        self.entries_box.setSpecialValueText("")
        self.entries_box.valueChanged.connect(lambda value: self.change(entries=value))
        self.keep_box = self._make_keep_box(settings.ttl_s)
        layout = QVBoxLayout(self)
        spaced(layout, spacing=0)
        layout.addWidget(
            section(
                tr("Answers"),
                [
                    (
                        tr("Use it"),
                        self.enabled_box,
                        tr("The same question to the same model is answered at once. “Answer again” asks the model."),
                    ),
                    (
                        tr("Chance"),
                        self.sampled_box,
                        tr("Otherwise only answers at temperature 0 or with a seed, which would be the same anyway."),
                    ),
                    (tr("Keep at most"), self.entries_box, ""),
                    (tr("Keep for"), self.keep_box, ""),
                    (tr("Use so far"), self._make_use_row(), ""),
                ],
            )
        )
        self.refresh()

    def _make_keep_box(self, chosen_s: int) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(tr("Keep answers for"))
        box.view().setAccessibleName(tr("Keep answers for"))
        terms = {
            _HOUR_S: tr("1 hour"),
            _DAY_S: tr("1 day"),
            7 * _DAY_S: tr("7 days"),
            30 * _DAY_S: tr("30 days"),
            0: tr("Until there are too many"),
        }
        terms.setdefault(chosen_s, tr("{n} hours", n=number(chosen_s / _HOUR_S, 1)))
        for seconds, text in terms.items():
            box.addItem(text, seconds)
        box.setCurrentIndex(box.findData(chosen_s))
        box.activated.connect(lambda _at: self.change(ttl_s=box.currentData()))
        return box

    def _make_use_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        spaced(layout)
        self.use = QLabel()
        self.use.setWordWrap(True)
        self.clear_button = QPushButton(tr("Clear"))
        self.clear_button.setAccessibleName(tr("Clear the response cache"))
        self.clear_button.setToolTip(
            tr(
                "Forget all cached answers, and what models keep of prompts they have read. Conversations stay; the "
                "models read and answer anew when asked again."
            )
        )
        set_icon(self.clear_button, "trash-2", 14)
        self.clear_button.clicked.connect(lambda: self._tasks.start(self.clear(), "clear the response cache"))
        layout.addWidget(self.use, 1)
        layout.addWidget(self.clear_button)
        return row

    def change(self, **changes: object) -> None:
        """Counts at once."""
        self._cache.configure(replace(self._cache.settings, **changes))

    def refresh(self) -> None:
        """Show what is kept and of what use it was."""
        try:
            found = self._cache.statistics()
        except StoreError as error:
            self.use.setText(error.message)
            return
        self.use.setText(use_text(found))
        self.use.setAccessibleName(use_text(found))
        self.clear_button.setEnabled(found.entries > 0 or found.kv_files > 0)

    async def clear(self) -> None:
        """Empty the cache; the dialog may be closed meanwhile."""
        self.clear_button.setEnabled(False)
        try:
            await asyncio.wrap_future(self._cache.clear())
        except StoreError as error:
            if shiboken6.isValid(self):
                self.use.setText(f"{error.message} {error.hint}")
                self.clear_button.setEnabled(True)
            return
        if shiboken6.isValid(self):
            self.refresh()


def use_text(found: CacheStatistics) -> str:
    """ "12 answers, 0.1 MB · hit rate 75 % (3 of 4)"."""
    kept = tr("1 answer") if found.entries == 1 else tr("{count} answers", count=number(found.entries))
    size = tr("{n} MB", n=number(found.size_bytes / 1e6, 1))
    if found.kv_files:
        size = tr("{size} and {n} MB of prompts read", size=size, n=number(found.kv_bytes / 1e6, 1))
    asked = found.hits + found.misses
    if not asked:
        return tr("{kept}, {size} · nothing asked yet", kept=kept, size=size)
    return tr(
        "{kept}, {size} · hit rate {rate} % ({hits} of {asked})",
        kept=kept,
        size=size,
        rate=number(100 * found.hit_rate),
        hits=number(found.hits),
        asked=number(asked),
    )


def _check_box(text: str, on: bool, name: str, owner: CacheSection) -> QCheckBox:
    box = QCheckBox(text)
    box.setAccessibleName(text)
    box.setChecked(on)
    box.toggled.connect(lambda now: owner.change(**{name: now}))
    return box
