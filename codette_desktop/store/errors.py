"""SQLite's errors in the application's words."""

import errno
import sqlite3

from codette_desktop.domain.errors import StoreDamaged, StoreError, StoreFull

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NOT_WRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, without the extension in the upper bits; 0 where the driver gives none."""
    return int(getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def translate(error: sqlite3.Error, *, writing: bool) -> StoreError:
    """The StoreError that says what `error` means to a person."""
    code = primary_code(error)
    if code in _DAMAGED:
        return StoreDamaged("The database is damaged and cannot be read.")
    if code in _BUSY:
        return StoreError("Another program is using the database.", "Close it, or try again.", retryable=True)
    if writing and code in _NOT_WRITABLE:
        what = "The disk is full" if code == sqlite3.SQLITE_FULL else "The disk cannot be written"
        return StoreFull(f"{what}: this could not be saved.")
    if code in _NOT_WRITABLE:
        return StoreError("The database cannot be read from the disk.", retryable=True)
    if code == sqlite3.SQLITE_INTERRUPT:
        return closed()
    return StoreError(f"The database refused this ({error}).")


def translate_os(error: OSError) -> StoreError:
    """The StoreError for a folder or file that cannot be made or opened."""
    what = "The disk is full" if error.errno == errno.ENOSPC else "The data folder cannot be written"
    return StoreFull(f"{what} ({error.strerror or error}).", "Free some disk space, or choose another data folder.")


def closed() -> StoreError:
    """The error of every call after `Store.close()`."""
    return StoreError("The database is closed.")
