"""Choosing files and folders, as coroutines."""

from pathlib import Path

from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from codette_desktop.gui.widgets.dialogs import finished

_Mode = QFileDialog.FileMode


async def pick_open_file(parent: QWidget | None, title: str, filters: str = "", folder: str = "") -> Path | None:
    """One existing file, or None. `filters` as Qt writes them: "Models (*.gguf);;All files (*)"."""
    chosen = await _pick(_dialog(parent, title, filters, folder, _Mode.ExistingFile))
    return chosen[0] if chosen else None


async def pick_open_files(parent: QWidget | None, title: str, filters: str = "", folder: str = "") -> list[Path]:
    """Existing files; an empty list for cancel."""
    return await _pick(_dialog(parent, title, filters, folder, _Mode.ExistingFiles))


async def pick_save_file(parent: QWidget | None, title: str, filters: str = "", suggested: str = "") -> Path | None:
    """Where to write a file, beginning from the path or name `suggested`; asks before one is replaced."""
    start = Path(suggested)
    folder = str(start.parent) if suggested and start.parent != Path() else ""
    dialog = _dialog(parent, title, filters, folder, _Mode.AnyFile)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    if suggested:
        dialog.selectFile(start.name)
        dialog.setDefaultSuffix(start.suffix.removeprefix("."))
    chosen = await _pick(dialog)
    return chosen[0] if chosen else None


async def pick_folder(parent: QWidget | None, title: str, folder: str = "") -> Path | None:
    """One existing folder, or None."""
    dialog = _dialog(parent, title, "", folder, _Mode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    chosen = await _pick(dialog)
    return chosen[0] if chosen else None


def _dialog(parent: QWidget | None, title: str, filters: str, folder: str, mode: QFileDialog.FileMode) -> QFileDialog:
    dialog = QFileDialog(parent, title, folder)
    dialog.setFileMode(mode)
    dialog.setAccessibleName(title)
    if filters:
        dialog.setNameFilter(filters)
    return dialog


async def _pick(dialog: QFileDialog) -> list[Path]:
    if await finished(dialog) != int(QDialog.DialogCode.Accepted):
        return []
    return [Path(name) for name in dialog.selectedFiles()]
