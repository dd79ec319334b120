"""Tables whose columns have a title, a hint, and a side on which their texts stand."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from codette_desktop.gui.row_drawing import Index


class TitledModel(QAbstractTableModel):
    """`titles` in the order of the columns; `tips` by column; the columns of `numbers` stand at the right."""

    def __init__(
        self,
        titles: Sequence[str],
        tips: Mapping[int, str],
        numbers: Collection[int],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.titles, self.tips, self._numbers = tuple(titles), tips, frozenset(numbers)

    def title(self, column: int) -> str:
        """What stands above a column."""
        return self.titles[column]

    def alignment(self, column: int) -> Qt.AlignmentFlag:
        """Where the texts of a column stand, its title too."""
        side = Qt.AlignmentFlag.AlignRight if column in self._numbers else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.title(section)
            case Qt.ItemDataRole.ToolTipRole:
                return self.tips.get(section)
            case Qt.ItemDataRole.TextAlignmentRole:
                return self.alignment(section)
            case _:
                return None
