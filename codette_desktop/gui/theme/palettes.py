"""The Qt palette of a mode. The style sheet paints most things; the palette serves what Qt paints itself."""

from PySide6.QtGui import QColor, QPalette

from codette_desktop.gui.theme.tokens import Tokens

_R = QPalette.ColorRole
_ROLES: dict[QPalette.ColorRole, str] = {
    _R.Window: "window",
    _R.WindowText: "text",
    _R.Base: "surface",
    _R.AlternateBase: "window",
    _R.Text: "text",
    _R.PlaceholderText: "secondary",
    _R.Button: "surface",
    _R.ButtonText: "text",
    _R.BrightText: "bad",
    _R.ToolTipBase: "raised",
    _R.ToolTipText: "text",
    _R.Highlight: "selection",
    _R.HighlightedText: "text",
    _R.Link: "link",
    _R.LinkVisited: "link",
    _R.Accent: "accent",
    _R.Light: "line",
    _R.Midlight: "line",
    _R.Mid: "line",
    _R.Dark: "line_strong",
    _R.Shadow: "line_strong",
}
_TEXT_ROLES = (_R.WindowText, _R.Text, _R.ButtonText, _R.HighlightedText)


def make_palette(tokens: Tokens) -> QPalette:
    """The palette of these tokens, all three colour groups."""
    palette = QPalette()
    for role, name in _ROLES.items():
        palette.setColor(role, QColor(tokens.colour(name)))
    for role in _TEXT_ROLES:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.line_strong))
    return palette
