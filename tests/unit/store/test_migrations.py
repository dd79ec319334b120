"""Opening files of other versions, and files that are no database."""

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from codette_desktop.domain.errors import StoreDamaged, StoreError, StoreFull, StoreTooNew
from codette_desktop.domain.telemetry import Sample
from codette_desktop.store import Store, backups, migrations


def made(folder: Path) -> Path:
    with Store.open(folder) as store:
        store.conversations.create("kept").result()
        return store.path


def digest(folder: Path) -> dict[str, str]:
    files = [path for path in folder.iterdir() if path.name.startswith("codette.sqlite3") and "-shm" not in path.name]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_new_database_has_the_present_version_and_no_backup(tmp_path: Path) -> None:
    path = made(tmp_path / "deep" / "folder")
    with closing(sqlite3.connect(path)) as connection:
        assert migrations.version_of(connection) == migrations.VERSION
        assert migrations.registered().pending(Database(connection, execute_plugins=False)) == []
    assert not (path.parent / "backups").exists()


def test_every_migration_counts_in_the_version() -> None:
    assert len(migrations.registered()._migrations) == migrations.MINOR


def test_a_newer_database_is_refused_without_being_touched(tmp_path: Path) -> None:
    path = made(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {(migrations.MAJOR + 1) << 16 | 4}")
    before = digest(tmp_path)
    with pytest.raises(StoreTooNew, match=rf"version {migrations.MAJOR + 1}\.4"):
        Store.open(tmp_path)
    assert digest(tmp_path) == before


def test_a_newer_version_that_stands_only_in_the_log_is_refused_too(tmp_path: Path) -> None:
    path = made(tmp_path / "source")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {(migrations.MAJOR + 1) << 16}")
        shutil.copytree(path.parent, tmp_path / "crashed")  # before the log is folded in at closing
    before = digest(tmp_path / "crashed")
    assert "codette.sqlite3-wal" in before
    with pytest.raises(StoreTooNew):
        Store.open(tmp_path / "crashed")
    assert digest(tmp_path / "crashed") == before


def test_a_higher_minor_version_opens(tmp_path: Path) -> None:
    path = made(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {migrations.VERSION + 7}")
    with Store.open(tmp_path) as store:
        assert store.conversations.count() == 1
    with closing(sqlite3.connect(path)) as connection:
        assert migrations.version_of(connection) == migrations.VERSION + 7


def test_an_older_database_is_backed_up_and_then_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path)
    registered = migrations.registered

    def with_one_more() -> object:
        more = registered()

        @more()
        def m002_colour(db: Database) -> None:
            db.conn.execute("ALTER TABLE presets ADD COLUMN colour TEXT")

        return more

    monkeypatch.setattr(migrations, "registered", with_one_more)
    monkeypatch.setattr(migrations, "VERSION", migrations.VERSION + 1)
    with Store.open(tmp_path) as store:
        assert store.conversations.count() == 1
        with store._access.read() as connection:
            assert "colour" in connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'presets'").fetchone()[0]
    (backup,) = backups.existing(tmp_path / "backups")
    assert backup.name.endswith(f"-v{migrations.MAJOR}.{migrations.MINOR}.sqlite3")
    (tmp_path / "restored").mkdir()
    shutil.copy(backup, tmp_path / "restored" / "codette.sqlite3")
    monkeypatch.undo()
    with Store.open(tmp_path / "restored") as store:
        assert [item.title for item in store.conversations.list()] == ["kept"]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path)
    registered = migrations.registered

    def with_a_bad_one() -> object:
        more = registered()

        @more()
        def m002_bad(db: Database) -> None:
            db.conn.execute("DROP TABLE presets")
            db.conn.execute("no such statement")

        return more

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "registered", with_a_bad_one)
        patch.setattr(migrations, "VERSION", migrations.VERSION + 1)
        with pytest.raises(StoreError):
            Store.open(tmp_path)
    with Store.open(tmp_path) as store:
        assert len(store.presets.list()) == 3


def test_a_database_of_version_nine_keeps_all_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "codette.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrations.registered().apply(Database(connection, execute_plugins=False), stop_before="m010_telemetry")
        connection.execute(f"PRAGMA user_version = {1 << 16 | 9}")
        conversation = "'c', 'old', '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:00:00.000000+00:00', NULL"
        connection.execute(
            f"INSERT INTO conversations VALUES (1, {conversation}, NULL, 'a draft', '', '', '{{}}', 'chat')"
        )
        connection.execute("INSERT INTO messages VALUES (1, 'h', 'user', 'said before', 1)")
        connection.execute("INSERT INTO nodes VALUES (1, 'n', 'c', NULL, 1, NULL, '2026-01-01T00:00:00.000000+00:00')")
        connection.execute("UPDATE conversations SET leaf_id = 'n'")
        connection.execute("INSERT INTO settings VALUES ('theme', '\"dark\"')")
    with Store.open(tmp_path) as store:
        assert [node.message.content for node in store.conversations.branch("c")] == ["said before"]
        assert (store.settings.get("theme"), store.conversations.list()[0].draft) == ("dark", "a draft")
        store.telemetry.add([Sample(1_800_000_000.0, 1.0)]).result()
        assert store.check() == []
    (backup,) = backups.existing(tmp_path / "backups")
    assert "-v1.9." in backup.name


def test_ten_backups_are_kept(store: Store) -> None:
    written = [store.backup() for _ in range(12)]
    assert backups.existing(store.path.parent / "backups") == written[:1:-1]


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0", b"short"])
def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "codette.sqlite3"
    path.write_bytes(content)
    with pytest.raises(StoreDamaged):
        Store.open(tmp_path)
    assert path.read_bytes() == content


def test_a_damaged_schema_is_told(tmp_path: Path) -> None:
    path = made(tmp_path)
    content = bytearray(path.read_bytes())
    content[100:4096] = os.urandom(3996)
    path.write_bytes(content)
    with pytest.raises(StoreDamaged):
        Store.open(tmp_path)


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "codette.sqlite3").touch()
    made(tmp_path)


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFull):
        Store.open(tmp_path / "file" / "data")
