"""The settings' section on servers: add, test, remove, and find those that run on this computer."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from codette_desktop.domain.errors import CodetteError
from codette_desktop.domain.servers import Server
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.layouts import sized, spaced
from codette_desktop.gui.tasks import Tasks
from codette_desktop.gui.theme import set_icon, set_role
from codette_desktop.gui.widgets import ElidedLabel, IconButton, StatusDot
from codette_desktop.inference.providers import ServerState

if TYPE_CHECKING:
    from codette_desktop.application import Application


class ServerRow(QWidget):
    """One server: its state, its name, where it is, and what can be done with it."""

    def __init__(self, server: Server, test: Callable[[], object], remove: Callable[[], object]) -> None:
        super().__init__()
        self.server = server
        name = ElidedLabel(server.name, role="strong")
        where = tr("{url} · outside this computer", url=server.url) if server.remote else server.url
        address = ElidedLabel(where, role="warning" if server.remote else "secondary")
        self.state = StatusDot("info", tr("not asked yet"))
        self.detail = QLabel()
        self.detail.setWordWrap(True)
        set_role(self.detail, "secondary")
        self.detail.hide()
        self.test_button = QPushButton(tr("Test"))
        self.test_button.setAccessibleName(tr("Test {server}", server=server.name))
        self.test_button.clicked.connect(lambda: test())
        self.remove_button = IconButton("trash-2", tr("Remove {server}", server=server.name), size=14)
        self.remove_button.clicked.connect(lambda: remove())
        head = QHBoxLayout()
        spaced(head, spacing=8)
        head.addWidget(name, 1)
        head.addWidget(self.state)
        head.addWidget(self.test_button)
        head.addWidget(self.remove_button)
        column = QVBoxLayout(self)
        spaced(column, spacing=2)
        column.addLayout(head)
        column.addWidget(address)
        column.addWidget(self.detail)

    def show_asking(self) -> None:
        """The server is being asked."""
        self.state.set_state("info", tr("asking …"))
        self.test_button.setEnabled(False)

    def show_state(self, state: ServerState) -> None:
        """What came of it."""
        self.test_button.setEnabled(True)
        if state.error is not None:
            self.state.set_state("bad", tr("does not work"))
            self._tell(f"{state.error.message} {state.error.hint}".strip(), "bad")
            return
        self.state.set_state("good", tr("works"))
        count = len(state.models)
        models = tr("1 model") if count == 1 else tr("{count} models", count=count)
        self._tell(" · ".join(part for part in (state.product, models) if part), "secondary")

    def _tell(self, text: str, role: str) -> None:
        self.detail.setText(text)
        set_role(self.detail, role)
        self.detail.show()


class ServersSection(QFrame):
    """A card of the settings. `changed` follows whatever changes the models there are; `stop` ends what runs."""

    changed = Signal()

    def __init__(self, application: "Application", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._servers = application.servers
        self._tasks = Tasks(self._on_error)
        self._removed: Server | None = None
        self.rows: list[ServerRow] = []
        set_role(self, "card")
        column = QVBoxLayout(self)
        spaced(column, (16, 14, 16, 14), 12)
        about = QLabel(
            tr(
                "Ollama, LM Studio, llama.cpp's server, vLLM, or another computer. What you ask a server outside this "
                "computer is sent there. A server is contacted when you test it, open the list of models, or ask it "
                "something; after that, every few minutes, to see whether it is still there."
            )
        )
        about.setWordWrap(True)
        set_role(about, "secondary")
        self._list = QVBoxLayout()
        spaced(self._list, spacing=10)
        column.addWidget(about)
        column.addLayout(self._list)
        column.addLayout(self._make_form())
        column.addLayout(self._make_foot())
        self._fill()

    def stop(self) -> None:
        """The settings are closed: what is being asked is not waited for."""
        self._tasks.cancel()

    def add(self) -> None:
        """Add what the fields say, and test it."""
        try:
            server = Server.checked(self.name_field.text(), self.url_field.text(), token_env=self.token_field.text())
        except CodetteError as error:
            self._on_error(error)
            return
        self._tasks.start(self._add(server), "add a server")

    def look(self) -> None:
        """Look for servers on this computer and put the first one into the fields."""
        self.find_button.setEnabled(False)
        self._say(tr("Looking …"))
        self._tasks.start(self._find(), "find servers")

    def test(self, row: ServerRow) -> None:
        """Ask a server what it is and has."""
        row.show_asking()
        self._tasks.start(self._test(row), "test a server")

    def remove(self, row: ServerRow) -> None:
        """Forget a server; it can be put back as long as the settings are open."""
        self._tasks.start(self._remove(row.server), "remove a server")

    def put_back(self) -> None:
        """Undo `remove`."""
        server, self._removed = self._removed, None
        if server is not None:
            self._tasks.start(self._add(server, test=False), "put a server back")

    def _make_form(self) -> QGridLayout:
        self.name_field = _field(tr("Name"), tr("Workshop"))
        self.url_field = _field(tr("Address"), "http://127.0.0.1:11434")
        self.token_field = _field(tr("Token variable"), tr("Only if it needs a token: MY_SERVER_TOKEN"))
        self.token_field.setToolTip(tr("The name of the environment variable that holds the token. It is never kept."))
        grid = QGridLayout()
        spaced(grid, spacing=8)
        for at, field in enumerate((self.name_field, self.url_field, self.token_field)):
            label = QLabel(field.accessibleName())
            label.setBuddy(field)
            sized(label, minimum=(130, 0))
            grid.addWidget(label, at, 0)
            grid.addWidget(field, at, 1)
            field.returnPressed.connect(self.add)
        return grid

    def _make_foot(self) -> QVBoxLayout:
        self.add_button = QPushButton(tr("Add server"))
        set_icon(self.add_button, "plus", 14)
        self.add_button.clicked.connect(self.add)
        self.find_button = QPushButton(tr("Find servers on this computer"))
        set_icon(self.find_button, "search", 14)
        self.find_button.clicked.connect(self.look)
        for button in (self.add_button, self.find_button):
            button.setAutoDefault(False)  # Enter in a field adds; it must not press something else too
        buttons = QHBoxLayout()
        spaced(buttons, spacing=8)
        buttons.addWidget(self.add_button)
        buttons.addWidget(self.find_button)
        buttons.addStretch(1)
        self.message = QLabel()
        self.message.setWordWrap(True)
        self.message.hide()
        self.undo_button = QPushButton(tr("Undo"))
        self.undo_button.clicked.connect(self.put_back)
        self.undo_button.hide()
        said = QHBoxLayout()
        spaced(said, spacing=8)
        said.addWidget(self.message, 1)
        said.addWidget(self.undo_button)
        column = QVBoxLayout()
        spaced(column, spacing=8)
        column.addLayout(buttons)
        column.addLayout(said)
        return column

    def _fill(self) -> None:
        shown = {row.server: row for row in self.rows}
        self.rows = []
        for server in self._servers.servers():
            row = shown.pop(server, None) or self._make_row(server)
            self.rows.append(row)
        for gone in shown.values():
            self._list.removeWidget(gone)
            gone.hide()
            gone.deleteLater()

    def _make_row(self, server: Server) -> ServerRow:
        row = ServerRow(server, lambda: self.test(row), lambda: self.remove(row))
        self._list.addWidget(row)
        return row

    async def _add(self, server: Server, *, test: bool = True) -> None:
        await self._servers.add(server)
        self._say("")
        for field in (self.name_field, self.url_field, self.token_field):
            if test:
                field.clear()
        self._fill()
        self.changed.emit()
        if test:
            row = next(row for row in self.rows if row.server == server)
            row.show_asking()
            await self._test(row)

    async def _test(self, row: ServerRow) -> None:
        state = await self._servers.test(row.server)
        if row in self.rows:
            row.show_state(state)
        self.changed.emit()

    async def _remove(self, server: Server) -> None:
        self._removed = await self._servers.remove(server.name)
        self._fill()
        self._say(tr("Removed {server}. Its answers stay in your chats.", server=server.name), undo=True)
        self.changed.emit()

    async def _find(self) -> None:
        try:
            found = await self._servers.find_local()
        finally:
            self.find_button.setEnabled(True)
        if not found:
            self._say(tr("No server answers on this computer that is not in the list already."))
            return
        self.name_field.setText(found[0].name)
        self.url_field.setText(found[0].url)
        names = ", ".join(server.place for server in found)
        self._say(tr("Found {names}. Press Add server to use it.", names=names), "good")
        self.add_button.setFocus()

    def _say(self, text: str, role: str = "secondary", *, undo: bool = False) -> None:
        self.message.setText(text)
        set_role(self.message, role)
        self.message.setVisible(bool(text))
        self.undo_button.setVisible(undo)

    def _on_error(self, error: CodetteError) -> None:
        self._say(f"{error.message} {error.hint}".strip(), "bad")


def _field(name: str, example: str) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setPlaceholderText(example)
    return field
