"""What the Ask tab does besides asking: rename, delete, export, import, presets."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from codette_desktop.domain.conversations import Conversation, Preset
from codette_desktop.domain.errors import CodetteError, InvalidRequest
from codette_desktop.domain.models import AUTO, AnyModel
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.votes import Preference
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.ask import transfer
from codette_desktop.gui.tabs.ask.conversation_model import shown_title
from codette_desktop.gui.tabs.ask.presets import PresetChoice
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.widgets import ToastHost, delete_with_undo, dialogs, file_dialogs

if TYPE_CHECKING:
    from codette_desktop.application import Application
    from codette_desktop.gui.tabs.ask.presenter import AskPresenter
    from codette_desktop.gui.tabs.ask.tab import AskTab

MARKDOWN_FILTER = "Markdown (*.md)"
JSON_FILTER = "JSON (*.json)"


class Commands:
    """Asks where a decision is needed (never with exec), does it through the store, and tells how it went."""

    def __init__(
        self,
        application: "Application",
        presenter: "AskPresenter",
        tasks: Tasks,
        toasts: ToastHost,
        tab: "AskTab",
    ) -> None:
        self._application = application
        self._store = application.store
        self._presenter = presenter
        self._tasks = tasks
        self._toasts = toasts
        self._tab = tab
        self._presets = PresetChoice(application.store.presets)

    def model_of(self, conversation: Conversation) -> AnyModel | None:
        """The model that would answer; None where it is missing, or chosen anew for each question."""
        if conversation.model == AUTO:
            return None
        try:
            return self._application.catalogue.find_model(conversation.model)
        except CodetteError:
            return None

    def thumb_of(self, node_id: str) -> Preference | None:
        """What was said of an answer before."""
        try:
            return self._application.rating.thumb_of(node_id)
        except CodetteError:
            return None  # told where it matters more

    def rate(self, node_id: str, preference: Preference | None) -> None:
        """Keep a thumb, or take it back."""
        node = next((node for node in self._presenter.nodes if node.id == node_id), None)
        if node is not None:
            system = self._presenter.conversation.system_prompt
            self._tasks.start(self._application.rating.thumb(node, preference, system=system), "a thumb")

    def shown_model(self, name: str) -> str:
        """What a person reads for the name a conversation keeps."""
        if name == AUTO:
            return tr("Auto")
        own = self._application.configuration.entry(name)
        try:
            return own.name if own is not None else self._application.catalogue.find_model(name).label
        except CodetteError:
            return name

    # Conversations

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation another title."""
        self._tasks.start(self._rename(conversation_id, title), "rename")

    async def _rename(self, conversation_id: str, title: str) -> None:
        await asyncio.wrap_future(self._store.conversations.rename(conversation_id, title))
        self._tab.list_changed()

    def delete(self, conversation_id: str) -> None:
        """Remove a conversation from the list; for some seconds a toast offers to undo it."""
        self._tasks.start(self._delete(conversation_id), "delete")

    async def _delete(self, conversation_id: str) -> None:
        conversation = self._store.conversations.get(conversation_id)
        if conversation is None:
            return
        on_view = conversation_id == self._presenter.conversation.id
        next_id = self._tab.side.model.neighbour(conversation_id) if on_view else ""
        self._presenter.stop_answer(conversation_id)
        await asyncio.wrap_future(self._store.conversations.delete(conversation_id))
        if on_view and not (next_id and self._presenter.open(next_id)):
            self._presenter.new_chat()
        self._tab.list_changed()
        delete_with_undo(
            self._toasts,
            tr("“{title}” was deleted.", title=_short(shown_title(conversation))),
            undo=lambda: self._tasks.start(self._restore(conversation_id), "undo the deletion"),
        )

    async def _restore(self, conversation_id: str) -> None:
        await asyncio.wrap_future(self._store.conversations.restore(conversation_id))
        self._tab.list_changed()
        self._presenter.open(conversation_id)

    # Files

    def export(self, conversation_id: str = "") -> None:
        """Write a conversation (default: the one on view) to a file the person chooses."""
        chosen = conversation_id or self._presenter.conversation.id
        if chosen:
            self._tasks.start(self._export(chosen), "export")

    async def _export(self, conversation_id: str) -> None:
        conversation = self._store.conversations.get(conversation_id)
        if conversation is None:
            return
        suggested = transfer.file_name(shown_title(conversation), ".md")
        filters = f"{MARKDOWN_FILTER};;{JSON_FILTER}"
        path = await file_dialogs.pick_save_file(self._tab, tr("Export conversation"), filters, suggested)
        if path is not None:
            await self.export_to(conversation_id, path)

    async def export_to(self, conversation_id: str, path: Path) -> None:
        """All of it as JSON for a name that ends in .json; else the branch on view as Markdown."""
        if path.suffix.lower() == ".json":
            text = transfer.to_json(self._store.conversations.export(conversation_id))
        else:
            conversation = self._store.conversations.get(conversation_id)
            nodes = self._application.chat.branch(conversation_id)
            text = transfer.to_markdown(conversation, nodes) if conversation else ""
        await asyncio.to_thread(transfer.write, path, text)
        self._toasts.show_toast(tr("Saved as {name}.", name=path.name), "good")

    def import_files(self) -> None:
        """Read conversations from JSON files the person chooses."""
        self._tasks.start(self._import(), "import")

    async def _import(self) -> None:
        paths = await file_dialogs.pick_open_files(self._tab, tr("Import conversations"), JSON_FILTER)
        if paths:
            await self.import_from(paths)

    async def import_from(self, paths: list[Path]) -> None:
        """Each file is read on its own: one that is no conversation does not keep the others out."""
        imported: list[Conversation] = []
        for path in paths:
            try:
                data = await asyncio.to_thread(transfer.read, path)
                imported.append(await asyncio.wrap_future(self._store.conversations.import_(data)))
            except CodetteError as error:
                self._tab.show_error(CodetteError(f"{path.name}: {error.message}", error.hint))
        self._tab.list_changed()
        if imported:
            self._presenter.open(imported[0].id)
            count = len(imported)
            text = tr("Imported 1 conversation.") if count == 1 else tr("Imported {n} conversations.", n=count)
            self._toasts.show_toast(text, "good")

    # Presets

    def show_presets(self) -> None:
        """Say in the composer which preset the conversation on view uses."""
        conversation = self._presenter.conversation
        name, modified = self._presets.name_of(conversation)
        self._tab.composer.set_presets(self._presets.all(), name, modified)

    def use_preset(self, name: str) -> None:
        """Take a preset's parameters, and its system prompt where it has one."""
        preset = self._presets.find(name)
        if preset is None:
            return
        self._presets.chose(self._presenter.conversation, name)
        self._presenter.set_settings(sampling=preset.sampling, system_prompt=preset.system_prompt or None)

    def change_sampling(self, sampling: Sampling) -> None:
        """The person moved a parameter."""
        name, _ = self._presets.name_of(self._presenter.conversation)
        self._presets.chose(self._presenter.conversation, name)
        self._presenter.set_settings(sampling=sampling)
        self._tasks.start(self._check_format(sampling), "check the form of the answer")

    async def _check_format(self, sampling: Sampling) -> None:
        """Say at once, under the field, what would otherwise be said instead of an answer."""
        problem = ""
        try:
            await self._application.check_format(sampling)
        except InvalidRequest as error:
            problem = str(error)
        if self._presenter.conversation.sampling == sampling:
            self._tab.panel.form.format.show_problem(problem)

    def save_preset(self) -> None:
        """Name the parameters on view."""
        self._tab.flush_panel()
        self._tasks.start(self._save_preset(), "save the preset")

    async def _save_preset(self) -> None:
        conversation = self._presenter.conversation
        name, modified = self._presets.name_of(conversation)
        preset = self._presets.find(name)
        suggested = name if modified and preset is not None and not preset.built_in else ""
        text = await dialogs.prompt_text(
            self._window(), tr("Save as a preset"), tr("Name"), suggested, accept=tr("Save")
        )
        if text and text.strip():
            await self.save_preset_as(text.strip())

    async def save_preset_as(self, name: str) -> None:
        """Keep the parameters and the system prompt on view under `name`."""
        conversation = self._presenter.conversation
        preset = Preset(name, conversation.sampling, conversation.system_prompt)
        await asyncio.wrap_future(self._store.presets.save(preset))
        self._presets.reload()
        self._presets.chose(conversation, name)
        self.show_presets()

    def delete_preset(self, name: str) -> None:
        """Remove one of the person's own presets; a toast offers to undo it."""
        self._tasks.start(self._delete_preset(name), "delete the preset")

    async def _delete_preset(self, name: str) -> None:
        preset = self._presets.find(name)
        if preset is None:
            return
        await asyncio.wrap_future(self._store.presets.delete(name))
        self._presets.reload()
        self.show_presets()
        delete_with_undo(
            self._toasts,
            tr("The preset “{name}” was deleted.", name=name),
            undo=lambda: self._tasks.start(self._restore_preset(preset), "undo the deletion"),
        )

    async def _restore_preset(self, preset: Preset) -> None:
        await asyncio.wrap_future(self._store.presets.save(preset))
        self._presets.reload()
        self.show_presets()

    def _window(self) -> QWidget:
        return self._tab.window()


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39].rstrip() + "…"
