"""Translation without Qt: every visible string goes through `tr`; gui/app.py installs Qt's translator here."""

from collections.abc import Callable

Translate = Callable[[str], str]


def _as_written(text: str) -> str:
    return text


_translate: Translate = _as_written


def install(translate: Translate | None) -> None:
    """Use `translate` from now on; None goes back to the text as written."""
    global _translate
    _translate = translate or _as_written


def tr(text: str, /, **values: object) -> str:
    """The translation of `text`, with `{name}` places filled from `values`. lupdate finds calls by this name."""
    translated = _translate(text)
    return translated.format(**values) if values else translated


def number(value: float, decimals: int = 0) -> str:
    """A number for people: groups of three, a fixed count of decimals."""
    return f"{value:,.{decimals}f}"
