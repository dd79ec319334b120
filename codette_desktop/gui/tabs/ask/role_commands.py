"""What the Ask tab does with roles: put one's prompt, model and sampling into the chat, and take it back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from codette_desktop.domain.conversations import Conversation
from codette_desktop.domain.errors import CodetteError, InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.roles import Role
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.tabs.ask.role_box import role_of
from codette_desktop.gui.widgets import ToastHost

if TYPE_CHECKING:
    from codette_desktop.application import Application
    from codette_desktop.gui.tabs.ask.presenter import AskPresenter
    from codette_desktop.gui.tabs.ask.tab import AskTab

UNDO_MS = 10_000


class RoleCommands:
    """Roles are read anew whenever they are asked for: the configuration file may have changed."""

    def __init__(self, application: "Application", presenter: "AskPresenter", toasts: ToastHost, tab: "AskTab") -> None:
        self._application = application
        self._presenter = presenter
        self._toasts = toasts
        self._tab = tab

    def all(self) -> list[Role]:
        """Those that ship, then those of the configuration file."""
        return self._application.roles.all()

    def title_of(self, prompt: str) -> str:
        """The title of the role whose prompt this is; "" for none."""
        role = role_of(prompt, self.all()) if prompt.strip() else None
        return role.title if role is not None else ""

    def use(self, name: str) -> None:
        """Be asked as that role from now on; "" for none. What was written by hand can be had back."""
        self._tab.flush_panel()  # what was typed a moment ago is part of what can be had back
        before = self._presenter.conversation
        if not name:
            self._change(before, "", None, None)
            self._offer_undo(before, tr("The chat has no role and no system prompt now."), changed=False)
            return
        try:
            role = self._application.roles.find(name)
        except InvalidRequest as error:
            self._tab.show_error(error)
            return
        values = self._application.roles.sampling_of(role)
        model = self._model_of(role)
        sampling = merged(before.sampling, values) if values else None
        self._change(before, role.prompt, model, sampling)
        told = self._told(model, values)
        words = tr("{role}: {changes}.", role=role.title, changes=told) if told else ""
        self._offer_undo(
            before, words or tr("The system prompt is that of {role}.", role=role.title), changed=bool(told)
        )

    def _model_of(self, role: Role) -> str | None:
        """What the conversation keeps for the role's model; None to leave it, also where it is not there."""
        if not role.model:
            return None
        try:
            return self._application.catalogue.name_to_ask(role.model)
        except CodetteError as error:
            self._tab.show_error(CodetteError(f"{role.title}: {error.message}", error.hint))
            return None

    def _told(self, model: str | None, values: Mapping[str, Any]) -> str:
        parts = [tr("asked of {model}", model=self._tab.commands.shown_model(model))] if model is not None else []
        for key, value in values.items():
            shown = tr("set") if key in ("json_schema", "grammar") else value
            parts.append(f"{key.replace('_', ' ')} {', '.join(shown) if isinstance(shown, tuple | list) else shown}")
        return ", ".join(parts)

    def _change(self, before: Conversation, prompt: str, model: str | None, sampling: Sampling | None) -> None:
        self._presenter.set_settings(
            system_prompt=prompt, model=model, sampling=None if sampling == before.sampling else sampling
        )

    def _offer_undo(self, before: Conversation, words: str, *, changed: bool) -> None:
        """Where something was `changed` beside the prompt, or the prompt was the person's own."""
        own = bool(before.system_prompt.strip()) and not self.title_of(before.system_prompt)
        if own or changed:
            on_view = self._presenter.on_view
            self._toasts.show_toast(
                words, action_text=tr("Undo"), on_action=lambda: self._undo(before, on_view), timeout_ms=UNDO_MS
            )

    def _undo(self, before: Conversation, on_view: int) -> None:
        presenter = self._presenter
        if presenter.on_view != on_view:
            kept = presenter.kept_id(on_view) or before.id
            if not (kept and presenter.open(kept)):
                return  # an empty chat that was left: there is nothing any more
        presenter.set_settings(system_prompt=before.system_prompt, model=before.model, sampling=before.sampling)


def merged(sampling: Sampling, values: Mapping[str, Any]) -> Sampling:
    """`sampling` with other values; a form of the answer replaces any other."""
    if {"json_schema", "grammar"} & values.keys():
        sampling = replace(sampling, json_schema=None, grammar=None)
    return replace(sampling, **values)
