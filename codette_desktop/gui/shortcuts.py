"""Every keyboard way of the application, declared once: the window and its help read this table. No Qt."""

from dataclasses import dataclass

from codette_desktop.gui.i18n import tr


@dataclass(frozen=True, slots=True)
class Shortcut:
    """`action` is the name the window connects; `keys` are Qt key sequences that all do it, the first one is shown."""

    action: str
    keys: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The key sequence that help and tooltips show."""
        return self.keys[0]


NEW_CHAT = Shortcut("new_chat", ("Ctrl+N",))
PICK_MODEL = Shortcut("pick_model", ("Ctrl+L",))
SEARCH = Shortcut("search", ("Ctrl+K",))
FIND = Shortcut("find", ("Ctrl+F",))
SETTINGS = Shortcut("settings", ("Ctrl+,",))
SIDE_LIST = Shortcut("side_list", ("Ctrl+B",))
STOP = Shortcut("stop", ("Esc",))
REGENERATE = Shortcut("regenerate", ("Ctrl+R",))
EDIT_LAST = Shortcut("edit_last", ("Ctrl+Up",))
PREVIOUS_BRANCH = Shortcut("previous_branch", ("Alt+Left",))
NEXT_BRANCH = Shortcut("next_branch", ("Alt+Right",))
COPY_ANSWER = Shortcut("copy_answer", ("Ctrl+Shift+C",))
CHAT_SETTINGS = Shortcut("chat_settings", ("Ctrl+.",))
RENAME = Shortcut("rename", ("F2",))
EXPORT = Shortcut("export", ("Ctrl+E",))
ZOOM_IN = Shortcut("zoom_in", ("Ctrl++", "Ctrl+="))
ZOOM_OUT = Shortcut("zoom_out", ("Ctrl+-",))
ZOOM_RESET = Shortcut("zoom_reset", ("Ctrl+0",))
HELP = Shortcut("help", ("Ctrl+/", "F1"))
QUIT = Shortcut("quit", ("Ctrl+Q",))
TABS = tuple(Shortcut(f"tab_{number}", (f"Ctrl+{number}",)) for number in range(1, 7))

RATE_VOTES = {
    "left": Shortcut("rate_left", ("1",)),
    "right": Shortcut("rate_right", ("2",)),
    "tie": Shortcut("rate_tie", ("0",)),
    "both_bad": Shortcut("rate_both_bad", ("9",)),
}
RATE_REASONS = {
    "correct": Shortcut("rate_correct", ("C",)),
    "clear": Shortcut("rate_clear", ("L",)),
    "complete": Shortcut("rate_complete", ("M",)),
    "brief": Shortcut("rate_brief", ("B",)),
    "follows": Shortcut("rate_follows", ("A",)),
    "tone": Shortcut("rate_tone", ("P",)),
}
RATE_UNDO = Shortcut("rate_undo", ("U",))
RATE_CORRECT = Shortcut("rate_write", ("E",))
RATE_NEXT = Shortcut("rate_next", ("Space", "Return", "Enter"))
RATE_DOWN = Shortcut("rate_down", ("PgDown",))
RATE_UP = Shortcut("rate_up", ("PgUp",))

WINDOW = (PICK_MODEL, SETTINGS, SIDE_LIST, ZOOM_IN, ZOOM_OUT, ZOOM_RESET, HELP, QUIT, *TABS)
ASK = (
    NEW_CHAT, SEARCH, FIND, STOP, REGENERATE, EDIT_LAST, PREVIOUS_BRANCH, NEXT_BRANCH, COPY_ANSWER, CHAT_SETTINGS,
    EXPORT,
)  # fmt: skip


def help_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """What Ctrl+/ shows: groups of (keys, what they do)."""
    return [
        (
            tr("Everywhere"),
            [
                ("Ctrl+1 … 6", tr("Go to a tab")),
                (PICK_MODEL.shown, tr("Choose a model")),
                (SIDE_LIST.shown, tr("Show or hide the list")),
                (SETTINGS.shown, tr("Settings")),
                ("Ctrl++", tr("Larger")),
                ("Ctrl+-", tr("Smaller")),
                ("Ctrl+0", tr("Normal size")),
                (HELP.shown, tr("This help")),
                (QUIT.shown, tr("Quit")),
            ],
        ),
        (
            tr("Conversations"),
            [
                (NEW_CHAT.shown, tr("New chat")),
                (SEARCH.shown, tr("Search all conversations")),
                (FIND.shown, tr("Find in this conversation")),
                (RENAME.shown, tr("Rename this conversation")),
                ("Del", tr("Delete it (can be undone)")),
                (EXPORT.shown, tr("Export this conversation")),
            ],
        ),
        (
            tr("Asking"),
            [
                ("Enter", tr("Send")),
                ("Shift+Enter", tr("New line")),
                ("Ctrl+Enter", tr("Ask the ensemble")),
                (STOP.shown, tr("Stop the answer")),
                (REGENERATE.shown, tr("Answer again")),
                (EDIT_LAST.shown, tr("Edit your last question")),
                (f"{PREVIOUS_BRANCH.shown}  {NEXT_BRANCH.shown}", tr("Other versions")),
                (COPY_ANSWER.shown, tr("Copy the last answer")),
                (CHAT_SETTINGS.shown, tr("Chat settings")),
            ],
        ),
        _rating_group(),
        _watching_group(),
    ]


def _rating_group() -> tuple[str, list[tuple[str, str]]]:
    return (
        tr("Rating"),
        [
            ("1  2", tr("The left, the right answer is better")),
            ("0  9", tr("Tie, both bad")),
            (RATE_UNDO.shown, tr("Take the vote back (for 10 seconds)")),
            (RATE_NEXT.shown, tr("The next duel at once")),
            (RATE_CORRECT.shown, tr("Write a better answer")),
            (f"{RATE_UP.shown}  {RATE_DOWN.shown}", tr("Scroll both answers")),
        ],
    )


def _watching_group() -> tuple[str, list[tuple[str, str]]]:
    return (
        tr("Watching"),
        [
            ("H  Space", tr("Hold, go on")),
            ("←  →", tr("Earlier, later")),
            ("+  -", tr("Shorter, longer time")),
            ("Home  End", tr("The oldest, now")),
            ("Shift+←", tr("Another moment")),
            ("P  C  D", tr("Save, copy, data")),
        ],
    )
