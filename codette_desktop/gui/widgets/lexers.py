"""Pygments lexers by the word after a fence. A language's first use compiles its patterns, which takes up to a tenth of
a second; that happens in a thread, and the code stands in one colour meanwhile."""

import threading
from functools import partial

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers._mapping import LEXERS
from pygments.util import ClassNotFound
from PySide6.QtCore import QObject, Signal

from codette_desktop.gui.widgets.background import load_in_background

# Pygments' own table. Its look-up functions search all installed packages for plug-ins where a name is unknown, which
# takes a fifth of a second.
_NAMES: dict[str, str] = {alias: entry[1] for entry in LEXERS.values() for alias in entry[2]}
_SPOKEN = {
    "py": "python", "python3": "python", "sh": "bash", "shell": "bash", "js": "javascript", "ts": "typescript",
    "yml": "yaml", "c++": "cpp", "cs": "csharp", "c#": "csharp", "rs": "rust", "golang": "go",
}  # fmt: skip


def canonical(language: str) -> str:
    """One name for each language, from what stands after a fence; "" for none."""
    short = language.lower().strip("{}.,: ")
    return _SPOKEN.get(short, short)


class Lexers(QObject):
    """The lexers of the process. `loaded` tells the language that has become ready; it may be emitted from a thread."""

    loaded = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ready: dict[str, Lexer | None] = {}
        self._loading: dict[str, threading.Thread] = {}

    def get(self, language: str) -> Lexer | None:
        """The lexer where it is ready; else None, and it is loaded in a thread."""
        name = canonical(language)
        if name not in _NAMES or name in self._ready:
            return self._ready.get(name)
        if name not in self._loading:
            self._loading[name] = load_in_background(partial(self._load, name), "codette-lexer")
        return None

    def is_ready(self, language: str) -> bool:
        """Whether all is known about that language, be it that there is no such one."""
        name = canonical(language)
        return name not in _NAMES or name in self._ready

    def load_now(self, language: str) -> None:
        """Waits until it is ready."""
        name = canonical(language)
        if name in self._loading:
            self._loading[name].join()
        elif not self.is_ready(language):
            self._load(name)

    def _load(self, name: str) -> None:
        try:
            self._ready[name] = get_lexer_by_name(name, stripnl=False, ensurenl=False)
        except ClassNotFound:
            self._ready[name] = None
        self.loaded.emit(name)


def language_name(language: str) -> str:
    """How that language is called in the head of a code box."""
    return _NAMES.get(canonical(language), language)


_lexers: Lexers | None = None


def lexers() -> Lexers:
    """The lexers of the process."""
    global _lexers
    if _lexers is None:
        _lexers = Lexers()
    return _lexers
