"""What the Compare tab does with answers and comparisons: take one, chat on, delete with undo, export."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from codette_desktop.domain.comparisons import TOGETHER
from codette_desktop.domain.votes import Preference
from codette_desktop.gui.i18n import number, tr
from codette_desktop.gui.tabs.ask import transfer
from codette_desktop.gui.tabs.compare.presenter import ComparePresenter
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.widgets import ToastHost, delete_with_undo, file_dialogs

if TYPE_CHECKING:
    from codette_desktop.application import Application

TABLE_FILTER = "CSV (*.csv);;JSON lines (*.jsonl)"


class CompareCommands:
    """Does it, and tells how it went. `show_chat` opens a chat by its id."""

    def __init__(
        self,
        application: "Application",
        presenter: ComparePresenter,
        tasks: Tasks,
        toasts: ToastHost,
        window: QWidget,
        show_chat: Callable[[str], object],
    ) -> None:
        self._application = application
        self._presenter = presenter
        self._tasks = tasks
        self._toasts = toasts
        self._window = window
        self._show_chat = show_chat

    def copy(self, text: str) -> None:
        """To the clipboard."""
        QGuiApplication.clipboard().setText(text)
        self._toasts.show_toast(tr("Copied"), "good", timeout_ms=1500)

    def vote(self, first: int, second: int, preference: Preference) -> None:
        """Keep which of two answers is better; a second vote on them takes the place of the first."""
        self._tasks.start(self._presenter.vote(first, second, preference), "a vote")

    def use(self, place: int) -> None:
        """Take an answer: it is marked, and said in the chat that the prompt came from."""
        self._tasks.start(self._use(place), "use an answer")

    async def _use(self, place: int) -> None:
        together = place == TOGETHER
        label = tr("all of them") if together else self._presenter.state.columns[place].member.label
        chat = await self._presenter.choose(place)
        if chat:
            self._toasts.show_toast(
                tr("The answer of {member} was put into the chat.", member=label),
                "good",
                action_text=tr("Show"),
                on_action=lambda: self._show_chat(chat),
            )
        else:
            self._toasts.show_toast(tr("The answer of {member} is marked as used.", member=label), "good")

    def chat_on(self, place: int) -> None:
        """A new chat with this member that begins with its answer."""
        self._tasks.start(self._chat_on(place), "continue as a chat")

    async def _chat_on(self, place: int) -> None:
        self._show_chat(await self._presenter.continue_as_chat(place))

    def delete(self, comparison_id: str) -> None:
        """Remove it from the list; for some seconds a toast offers to undo it."""
        self._tasks.start(self._delete(comparison_id), "delete a comparison")

    async def _delete(self, comparison_id: str) -> None:
        on_view = comparison_id == self._presenter.state.id
        if on_view:
            self._presenter.stop()
        await self._presenter.delete(comparison_id)
        delete_with_undo(
            self._toasts,
            tr("The comparison was deleted."),
            undo=lambda: self._tasks.start(self._restore(comparison_id), "undo the deletion"),
        )

    async def _restore(self, comparison_id: str) -> None:
        await self._presenter.restore(comparison_id)
        self._presenter.open(comparison_id)

    def export(self, query: str = "") -> None:
        """Write the comparisons of the list, or those found, as a table."""
        self._tasks.start(self._export(query), "export comparisons")

    async def _export(self, query: str) -> None:
        suggested = transfer.file_name(query or tr("comparisons"), ".csv")
        path = await file_dialogs.pick_save_file(self._window, tr("Export comparisons"), TABLE_FILTER, suggested)
        if path is not None:
            await self.export_to(path, query)

    async def export_to(self, path: Path, query: str = "") -> None:
        """A table (.csv) or JSON lines (.jsonl), one row an answer."""
        rows = await asyncio.to_thread(self._application.comparisons.export, path, query)
        self._toasts.show_toast(tr("{rows} rows saved as {name}.", rows=number(rows), name=path.name), "good")
