"""Which preset a conversation uses, told from its parameters. No Qt."""

from dataclasses import replace

from codette_desktop.domain.conversations import Conversation, Preset
from codette_desktop.store.presets import Presets


class PresetChoice:
    """A conversation keeps parameters, not a name: that is found by comparing, or remembered while one changes them.

    The seed belongs to no preset: a fixed seed does not make one "changed".
    """

    def __init__(self, presets: Presets) -> None:
        self._presets = presets
        self._list: list[Preset] | None = None
        self._chosen: dict[str, str] = {}

    def all(self) -> list[Preset]:
        """Built-in ones first."""
        if self._list is None:
            self._list = self._presets.list()
        return self._list

    def reload(self) -> None:
        """Presets were saved or deleted."""
        self._list = None

    def find(self, name: str) -> Preset | None:
        """The preset of that name."""
        return next((preset for preset in self.all() if preset.name == name), None)

    def chose(self, conversation: Conversation, name: str) -> None:
        """From now on the conversation's parameters are this preset's, or a change of them."""
        self._chosen[conversation.id] = name

    def name_of(self, conversation: Conversation) -> tuple[str, bool]:
        """Name ("" for parameters of no preset) and whether they have been changed."""
        chosen = self.find(self._chosen.get(conversation.id, ""))
        if chosen is not None:
            return chosen.name, not _same(chosen, conversation)
        match = next((preset for preset in self.all() if _same(preset, conversation)), None)
        return (match.name, False) if match else ("", False)


def _same(preset: Preset, conversation: Conversation) -> bool:
    return replace(preset.sampling, seed=None) == replace(conversation.sampling, seed=None)
