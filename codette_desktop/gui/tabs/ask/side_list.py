"""The side list of the Ask tab: search field, conversations, found messages."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QListView, QMenu, QStackedWidget, QVBoxLayout, QWidget

from codette_desktop.domain.conversations import Conversation, SearchHit
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.shortcuts import NEW_CHAT, SEARCH
from codette_desktop.gui.tabs.ask.conversation_model import ConversationModel, ConversationRole, shown_title
from codette_desktop.gui.tabs.ask.list_delegate import MARK_END, MARK_START, ConversationDelegate, HitDelegate, HitRole
from codette_desktop.gui.theme import set_icon, set_role, theme
from codette_desktop.gui.widgets import IconButton
from codette_desktop.store.conversations import Conversations

SEARCH_DELAY_MS = 120
MOST_HITS = 50


class SideList(QWidget):
    """Signals what the person wants; changes nothing itself. Found words go along with `opened` ("" for none)."""

    opened = Signal(str, str, str)  # conversation, words searched for, node that holds them
    new_wanted = Signal()
    import_wanted = Signal()
    renamed = Signal(str, str)
    delete_wanted = Signal(str)
    export_wanted = Signal(str)

    def __init__(self, conversations: Conversations, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._conversations = conversations
        self._current = ""
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        set_role(self, "panel")
        self.model = ConversationModel(conversations, self)
        self.model.renamed.connect(self.renamed)
        self.search = self._make_search()
        self.list = self._make_list(tr("Conversations"))
        self.list.setModel(self.model)
        self.list.setItemDelegate(ConversationDelegate(self.list))
        self.list.setEditTriggers(QListView.EditTrigger.EditKeyPressed)
        self.hits = self._make_list(tr("Found conversations"))
        self._hit_model = QStandardItemModel(self.hits)
        self.hits.setModel(self._hit_model)
        self.hits.setItemDelegate(HitDelegate(self.hits))
        self.nothing = _hint(tr("Nothing found.\nNo title and no message holds these words."))
        self.none_yet = _hint(tr("Your conversations will be listed here."))
        self.stack = QStackedWidget()
        for page in (self.list, self.hits, self.nothing, self.none_yet):
            self.stack.addWidget(page)
        self._timer = QTimer(self, interval=SEARCH_DELAY_MS, singleShot=True)
        self._timer.timeout.connect(self.run_search)
        self._lay_out()
        theme().changed.connect(self.list.doItemsLayout)
        theme().changed.connect(self.hits.doItemsLayout)

    def _lay_out(self) -> None:
        px = theme().px
        top = QHBoxLayout()
        top.setContentsMargins(px(12), px(12), px(8), px(6))
        top.setSpacing(px(4))
        self.new_button = IconButton("plus", tr("New chat"), NEW_CHAT.shown)
        self.new_button.clicked.connect(self.new_wanted)
        self.more_button = IconButton("ellipsis", tr("More about conversations"))
        self.more_button.clicked.connect(self._show_more)
        top.addWidget(self.search, 1)
        top.addWidget(self.new_button)
        top.addWidget(self.more_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.stack, 1)

    def _make_search(self) -> QLineEdit:
        search = QLineEdit()
        set_role(search, "search")
        search.setPlaceholderText(tr("Search"))
        search.setAccessibleName(tr("Search all conversations"))
        search.setToolTip(tr("Search titles and messages ({keys})", keys=SEARCH.shown))
        search.setClearButtonEnabled(True)
        icon = QAction(search)
        set_icon(icon, "search", colour="secondary")
        search.addAction(icon, QLineEdit.ActionPosition.LeadingPosition)
        search.textChanged.connect(self._on_search_typed)
        search.returnPressed.connect(self._open_first_hit)
        search.installEventFilter(self)
        return search

    def _make_list(self, name: str) -> QListView:
        view = QListView()
        set_role(view, "sidebar")
        view.setAccessibleName(name)
        view.setUniformItemSizes(True)
        view.setMouseTracking(True)
        view.setFrameShape(QListView.Shape.NoFrame)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(lambda place, view=view: self._show_menu(view, place))
        view.clicked.connect(self._open_index)
        view.activated.connect(self._open_index)
        view.installEventFilter(self)
        return view

    # What is shown

    def reload(self) -> None:
        """Read the list anew and keep the place."""
        bar = self.list.verticalScrollBar()
        value = bar.value()
        self.model.reload()
        bar.setValue(value)
        self._choose_page()
        self._mark_current()
        if self.search.text().strip():
            self._timer.start()

    def set_current(self, conversation_id: str) -> None:
        """Mark the conversation on view."""
        self._current = conversation_id
        self._mark_current()

    def _mark_current(self) -> None:
        row = self.model.row_of(self._current) if self._current else -1
        index = self.model.index(row) if row >= 0 else QModelIndex()
        selection = self.list.selectionModel()
        if not index.isValid():
            selection.clear()
        elif self.list.currentIndex() != index or not selection.isSelected(index):
            self.list.setCurrentIndex(index)

    def _choose_page(self) -> None:
        if self.search.text().strip():
            self.stack.setCurrentWidget(self.hits if self._hit_model.rowCount() else self.nothing)
        else:
            self.stack.setCurrentWidget(self.list if self.model.count() else self.none_yet)

    # Search

    def focus_search(self) -> None:
        """Ctrl+K."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _on_search_typed(self, text: str) -> None:
        if text.strip():
            self._timer.start()
        else:
            self._timer.stop()
            self._hit_model.clear()
            self._choose_page()

    def run_search(self) -> None:
        """Look now for what stands in the field."""
        self._timer.stop()
        self._hit_model.clear()
        for hit in self._conversations.search(self.search.text(), limit=MOST_HITS):
            self._hit_model.appendRow(_hit_item(hit))
        if self._hit_model.rowCount():
            self.hits.setCurrentIndex(self._hit_model.index(0, 0))
        self._choose_page()

    def _open_first_hit(self) -> None:
        if self._timer.isActive():
            self.run_search()
        if self._hit_model.rowCount():
            self._open_index(self.hits.currentIndex())

    def _open_index(self, index: QModelIndex) -> None:
        hit: SearchHit | None = index.data(HitRole)
        if hit is not None:
            self.opened.emit(hit.conversation.id, self.search.text(), hit.node_id or "")
            return
        conversation: Conversation | None = index.data(ConversationRole)
        if conversation is not None:
            self.opened.emit(conversation.id, "", "")

    # Keys and menus

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and watched is self.search and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                event.accept()  # else the tab's own Esc, which stops an answer, takes it
                return True
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if watched is self.search:
                return self._search_key(event)
            if watched in (self.list, self.hits) and event.key() == Qt.Key.Key_Delete:
                self._delete_current(watched)
                return True
        return super().eventFilter(watched, event)

    def _search_key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
            return True
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self.stack.currentWidget() in (self.list, self.hits):
            view = self.list if self.stack.currentWidget() is self.list else self.hits
            view.setFocus(Qt.FocusReason.TabFocusReason)
            return True
        return False

    def _delete_current(self, view: QObject) -> None:
        conversation = self._conversation_at(view.currentIndex()) if isinstance(view, QListView) else None
        if conversation is not None:
            self.delete_wanted.emit(conversation.id)

    def _conversation_at(self, index: QModelIndex) -> Conversation | None:
        hit: SearchHit | None = index.data(HitRole)
        return hit.conversation if hit is not None else index.data(ConversationRole)

    def rename_current(self) -> None:
        """F2 from anywhere in the tab: edit the title of the conversation on view in its row."""
        row = self.model.row_of(self._current) if self._current else -1
        if row >= 0:
            self.search.clear()
            index = self.model.index(row)
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
            self.list.edit(index)

    def menu_for(self, view: QListView, index: QModelIndex) -> QMenu | None:
        """The context menu of a row; None for a heading."""
        conversation = self._conversation_at(index)
        if conversation is None:
            return None
        menu = QMenu(view)
        menu.setAccessibleName(tr("Conversation {title}", title=shown_title(conversation)))
        key = conversation.id
        entries = [("message-square", tr("Open"), lambda: self._open_index(index))]
        if view is self.list:
            entries.append(("pencil", tr("Rename"), lambda: view.edit(index)))
        entries.append(("download", tr("Export …"), lambda: self.export_wanted.emit(key)))
        entries.append(("trash-2", tr("Delete"), lambda: self.delete_wanted.emit(key)))
        for icon, text, work in entries:
            action = menu.addAction(text)
            set_icon(action, icon, colour="secondary")
            action.triggered.connect(lambda _=False, work=work: work())
        return menu

    def _show_menu(self, view: QListView, place: QPoint) -> None:
        menu = self.menu_for(view, view.indexAt(place))
        if menu is not None:
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(view.viewport().mapToGlobal(place))

    def _show_more(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        action = menu.addAction(tr("Import conversations …"))
        set_icon(action, "upload", colour="secondary")
        action.triggered.connect(lambda: self.import_wanted.emit())
        menu.popup(self.more_button.mapToGlobal(QPoint(0, self.more_button.height())))


def _hint(text: str) -> QLabel:
    label = QLabel(text)
    set_role(label, "secondary")
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
    label.setMargin(24)
    return label


def _hit_item(hit: SearchHit) -> QStandardItem:
    item = QStandardItem(shown_title(hit.conversation))
    item.setEditable(False)
    item.setData(hit, HitRole)
    plain = hit.snippet.replace(MARK_START, "").replace(MARK_END, "")
    item.setData(f"{shown_title(hit.conversation)}: {plain}", Qt.ItemDataRole.AccessibleTextRole)
    item.setToolTip(" ".join(plain.split()))
    return item
