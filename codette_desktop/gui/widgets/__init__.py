"""The parts every tab is built from."""

from codette_desktop.gui.widgets.banner import Banner
from codette_desktop.gui.widgets.buttons import ChipButton, IconButton, SegmentedControl
from codette_desktop.gui.widgets.code_block import CodeBlock
from codette_desktop.gui.widgets.context_gauge import ContextGauge
from codette_desktop.gui.widgets.empty_state import EmptyState
from codette_desktop.gui.widgets.frame_flusher import FrameFlusher, frame_flusher
from codette_desktop.gui.widgets.growing_text_edit import GrowingTextEdit
from codette_desktop.gui.widgets.labels import ElidedLabel, IconLabel, StateIcon, StatusDot, plain_tip, separator
from codette_desktop.gui.widgets.markdown_view import MarkdownView
from codette_desktop.gui.widgets.parameter_field import ParameterField
from codette_desktop.gui.widgets.sampling_form import SamplingForm
from codette_desktop.gui.widgets.scroll_column import ScrollColumn
from codette_desktop.gui.widgets.shortcut_help import ShortcutHelp
from codette_desktop.gui.widgets.toast import Toast, ToastHost, delete_with_undo

__all__ = [
    "Banner",
    "ChipButton",
    "CodeBlock",
    "ContextGauge",
    "ElidedLabel",
    "EmptyState",
    "FrameFlusher",
    "GrowingTextEdit",
    "IconButton",
    "IconLabel",
    "MarkdownView",
    "ParameterField",
    "SamplingForm",
    "ScrollColumn",
    "SegmentedControl",
    "ShortcutHelp",
    "StateIcon",
    "StatusDot",
    "Toast",
    "ToastHost",
    "delete_with_undo",
    "frame_flusher",
    "plain_tip",
    "separator",
]
