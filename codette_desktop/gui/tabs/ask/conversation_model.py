"""The side list's rows: conversations read in pages as they are looked at, under headings by day."""

from collections import OrderedDict
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, Signal

from codette_desktop.domain.conversations import Conversation
from codette_desktop.gui.i18n import tr
from codette_desktop.gui.row_drawing import Index
from codette_desktop.gui.tabs.ask.wording import GROUPS, group_of, group_title
from codette_desktop.store.conversations import Conversations

PAGE = 128
KEPT_PAGES = 24

ConversationRole = Qt.ItemDataRole.UserRole + 1
HeadingRole = Qt.ItemDataRole.UserRole + 2
AnsweringRole = Qt.ItemDataRole.UserRole + 3


class ConversationModel(QAbstractListModel):
    """Rows are headings and conversations. Only their count and the few places where a heading stands are read at
    once; with 100,000 conversations that is some forty small reads."""

    renamed = Signal(str, str)

    def __init__(self, conversations: Conversations, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._conversations = conversations
        self._pages: OrderedDict[int, list[Conversation]] = OrderedDict()
        self._count = 0
        self._today = datetime.now().astimezone().date()
        # (row of the heading, its group, position of the first conversation under it)
        self._headings: list[tuple[int, str, int]] = []
        self._answering: set[str] = set()

    def reload(self) -> None:
        """Read everything anew. The views keep their place because rows are found again by conversation."""
        self.beginResetModel()
        self._pages.clear()
        self._today = datetime.now().astimezone().date()
        self._count = self._conversations.count()
        self._headings = self._find_headings()
        self.endResetModel()

    def set_answering(self, ids: set[str]) -> None:
        """Mark the conversations that are being answered."""
        if ids != self._answering:
            self._answering = set(ids)
            if self.rowCount():
                self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1), [AnsweringRole])

    def count(self) -> int:
        """How many conversations there are."""
        return self._count

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else self._count + len(self._headings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        heading = next((group for row, group, _ in self._headings if row == index.row()), None)
        if role == HeadingRole:
            return heading is not None
        if heading is not None:
            return group_title(heading) if role == Qt.ItemDataRole.DisplayRole else None
        conversation = self._at(self._position(index.row()))
        if conversation is None:
            return None
        return self._about(conversation, role)

    def _about(self, conversation: Conversation, role: int) -> Any:
        answering = conversation.id in self._answering
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return shown_title(conversation)
            case Qt.ItemDataRole.EditRole:
                return conversation.title
            case Qt.ItemDataRole.AccessibleTextRole:
                title = shown_title(conversation)
                return tr("{title}, answering now", title=title) if answering else title
            case _ if role == ConversationRole:
                return conversation
            case _ if role == AnsweringRole:
                return answering
            case _:
                return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid() or self.data(index, HeadingRole):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        conversation = self.data(index, ConversationRole)
        title = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or conversation is None or not title or title == conversation.title:
            return False
        self.renamed.emit(conversation.id, title)
        return True

    def row_of(self, conversation_id: str) -> int:
        """The row of a conversation among those already read, or on the first page; -1 where it is not."""
        self._at(0)
        for page, items in self._pages.items():
            for offset, item in enumerate(items):
                if item.id == conversation_id:
                    return self._row(page * PAGE + offset)
        return -1

    def neighbour(self, conversation_id: str) -> str:
        """The conversation below, else above, the given one; "" where there is none."""
        row = self.row_of(conversation_id)
        for near in (row + 1, row + 2, row - 1, row - 2):
            found = self.data(self.index(near), ConversationRole) if 0 <= near < self.rowCount() else None
            if found is not None and found.id != conversation_id:
                return found.id
        return ""

    def _position(self, row: int) -> int:
        return row - sum(1 for heading, _, _ in self._headings if heading < row)

    def _row(self, position: int) -> int:
        return position + sum(1 for _, _, first in self._headings if first <= position)

    def _at(self, position: int) -> Conversation | None:
        page, offset = divmod(position, PAGE)
        if page not in self._pages:
            self._pages[page] = self._conversations.list(limit=PAGE, offset=page * PAGE)
            while len(self._pages) > KEPT_PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(page)
        items = self._pages[page]
        return items[offset] if offset < len(items) else None

    def _find_headings(self) -> list[tuple[int, str, int]]:
        starts: list[tuple[str, int]] = []
        position = 0
        while position < self._count:
            group = self._group(position)
            starts.append((group, position))
            if group == GROUPS[-1]:
                break
            position = self._end_of(group, position)
        return [(first + index, group, first) for index, (group, first) in enumerate(starts)]

    def _end_of(self, group: str, start: int) -> int:
        """The first position after `start` that is in another group: by doubling steps, then by halving."""
        low, step = start, 1
        while low + step < self._count and self._group(low + step) == group:
            low, step = low + step, step * 2
        high = min(low + step, self._count)
        while high - low > 1:
            middle = (low + high) // 2
            if self._group(middle) == group:
                low = middle
            else:
                high = middle
        return high

    def _group(self, position: int) -> str:
        conversation = self._at(position)
        return group_of(conversation.updated_at, self._today) if conversation else GROUPS[-1]


def shown_title(conversation: Conversation) -> str:
    """The title, or what stands for it while there is none."""
    if conversation.title:
        return conversation.title
    draft = " ".join(conversation.draft.split())
    return tr("Draft: {text}", text=draft) if draft else tr("New chat")
