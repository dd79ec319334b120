"""The schema and its history. Migrations are only ever appended; a released one is never changed.

`PRAGMA user_version` holds major << 16 | minor. A higher minor may be opened by an older application (something was
added that it does not use); a higher major may not.
"""

import sqlite3
from typing import TYPE_CHECKING, Any

from codette_desktop.store.telemetry_schema import M010_TELEMETRY
from codette_desktop.store.vote_schema import M009_VOTES

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

MAJOR = 1
MINOR = 10
VERSION = MAJOR << 16 | MINOR

_M001 = (
    """CREATE TABLE conversations (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        deleted_at TEXT,
        leaf_id TEXT REFERENCES nodes(id) DEFERRABLE INITIALLY DEFERRED,
        draft TEXT NOT NULL,
        system_prompt TEXT NOT NULL,
        model TEXT NOT NULL,
        sampling TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX conversations_by_update ON conversations(updated_at, seq) WHERE deleted_at IS NULL",
    "CREATE INDEX conversations_deleted ON conversations(deleted_at) WHERE deleted_at IS NOT NULL",
    "CREATE INDEX conversations_by_leaf ON conversations(leaf_id)",
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        content TEXT NOT NULL,
        search_id INTEGER NOT NULL UNIQUE
    ) STRICT""",
    """CREATE TABLE generations (
        id TEXT PRIMARY KEY,
        conversation_id TEXT NOT NULL REFERENCES conversations(id),
        parent_id TEXT REFERENCES nodes(id) DEFERRABLE INITIALLY DEFERRED,
        session TEXT NOT NULL,
        partial TEXT NOT NULL DEFAULT '',
        model TEXT NOT NULL,
        model_label TEXT NOT NULL,
        model_hash TEXT NOT NULL,
        quantisation TEXT NOT NULL,
        sampling TEXT NOT NULL,
        seed INTEGER,
        engine_build TEXT NOT NULL,
        device TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        reason TEXT,
        error TEXT NOT NULL,
        prompt_tokens INTEGER,
        completion_tokens INTEGER,
        time_to_first_token_ms REAL,
        tokens_per_second REAL,
        total_ms REAL,
        load_ms REAL,
        reused_tokens INTEGER,
        cached INTEGER,
        context_length INTEGER,
        system_tokens INTEGER,
        history_tokens INTEGER,
        question_tokens INTEGER,
        left_out_messages INTEGER
    ) STRICT""",
    "CREATE INDEX generations_by_conversation ON generations(conversation_id)",
    "CREATE INDEX generations_by_parent ON generations(parent_id)",
    "CREATE INDEX generations_running ON generations(id) WHERE reason IS NULL",
    """CREATE TABLE nodes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL REFERENCES conversations(id),
        parent_id TEXT REFERENCES nodes(id) DEFERRABLE INITIALLY DEFERRED,
        message_id INTEGER NOT NULL REFERENCES messages(id),
        generation_id TEXT UNIQUE REFERENCES generations(id),
        created_at TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX nodes_by_parent ON nodes(parent_id)",
    "CREATE INDEX nodes_by_place ON nodes(conversation_id, parent_id, seq)",
    "CREATE INDEX nodes_by_message ON nodes(message_id)",
    # Both hold text folded by store.text, all of whose tokens the ascii tokenizer keeps whole.
    "CREATE VIRTUAL TABLE message_search USING fts5(folded, tokenize = 'ascii', prefix = '1 2 3')",
    "CREATE VIRTUAL TABLE title_search USING fts5(folded, tokenize = 'ascii', prefix = '1 2 3')",
    """CREATE TABLE presets (
        name TEXT PRIMARY KEY,
        sampling TEXT NOT NULL,
        system_prompt TEXT NOT NULL
    ) STRICT""",
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE model_files (
        path TEXT PRIMARY KEY,
        size_bytes INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        file_hash TEXT NOT NULL
    ) STRICT""",
    "CREATE TABLE model_loads (file_hash TEXT PRIMARY KEY, session TEXT NOT NULL, started_at TEXT NOT NULL) STRICT",
)

_M002 = """CREATE TABLE model_trust (
    file_hash TEXT PRIMARY KEY,
    admitted INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    changed_at TEXT NOT NULL
) STRICT"""
_M003_MODEL_PROFILES = """CREATE TABLE model_profiles (
        model TEXT NOT NULL,
        task TEXT NOT NULL,
        requests INTEGER NOT NULL,
        successes REAL NOT NULL,
        failures REAL NOT NULL,
        response_ms REAL,
        first_token_ms REAL,
        tokens_per_second REAL,
        timed INTEGER NOT NULL,
        quality_points REAL NOT NULL,
        quality_votes INTEGER NOT NULL,
        PRIMARY KEY (model, task)
    ) STRICT, WITHOUT ROWID"""
_M004 = (
    "ALTER TABLE generations ADD COLUMN first_written_s REAL",
    """CREATE TABLE responses (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE,
        model TEXT NOT NULL,
        created_at TEXT NOT NULL,
        used_at TEXT NOT NULL,
        hits INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        payload BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX responses_by_use ON responses(used_at, id)",
    "CREATE INDEX responses_by_age ON responses(created_at)",
    # One row. Counting a hundred thousand responses at each new one would cost more than the rest of the write.
    """CREATE TABLE response_totals (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        entries INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        hits INTEGER NOT NULL DEFAULT 0,
        misses INTEGER NOT NULL DEFAULT 0,
        shared INTEGER NOT NULL DEFAULT 0,
        stores INTEGER NOT NULL DEFAULT 0,
        evictions INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "INSERT INTO response_totals(id) VALUES (1)",
    """CREATE TRIGGER responses_added AFTER INSERT ON responses BEGIN
        UPDATE response_totals SET entries = entries + 1, bytes = bytes + new.size_bytes;
    END""",
    """CREATE TRIGGER responses_changed AFTER UPDATE OF size_bytes ON responses BEGIN
        UPDATE response_totals SET bytes = bytes + new.size_bytes - old.size_bytes;
    END""",
    """CREATE TRIGGER responses_removed AFTER DELETE ON responses BEGIN
        UPDATE response_totals SET entries = entries - 1, bytes = bytes - old.size_bytes;
    END""",
)
_M005 = (
    """CREATE TABLE servers (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        url TEXT NOT NULL,
        kind TEXT NOT NULL,
        token_env TEXT NOT NULL,
        models TEXT NOT NULL,
        added_at TEXT NOT NULL
    ) STRICT""",
    "ALTER TABLE generations ADD COLUMN note TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE generations ADD COLUMN use_estimated INTEGER",
)
_M006_MODEL_MEMORY = """CREATE TABLE model_memory (
        file_hash TEXT NOT NULL,
        settings TEXT NOT NULL,
        cpu_bytes INTEGER NOT NULL,
        gpu_bytes INTEGER NOT NULL,
        computed_cpu_bytes INTEGER NOT NULL,
        computed_gpu_bytes INTEGER NOT NULL,
        loads INTEGER NOT NULL,
        changed_at TEXT NOT NULL,
        PRIMARY KEY (file_hash, settings)
    ) STRICT, WITHOUT ROWID"""
_M007_MEMBER_STANDINGS = """CREATE TABLE member_standings (
        member TEXT NOT NULL,
        kind TEXT NOT NULL,
        asked INTEGER NOT NULL,
        correct REAL NOT NULL,
        confidences TEXT NOT NULL,
        PRIMARY KEY (member, kind)
    ) STRICT, WITHOUT ROWID"""
_M008_COMPARISONS = (
    # A comparison is a conversation of another kind: its question has an answer of each member below it.
    "ALTER TABLE conversations ADD COLUMN kind TEXT NOT NULL DEFAULT 'chat'",
    "DROP INDEX conversations_by_update",
    "CREATE INDEX conversations_by_update ON conversations(kind, updated_at, seq) WHERE deleted_at IS NULL",
    """CREATE TABLE batches (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        setup TEXT NOT NULL,
        created_at TEXT NOT NULL,
        deleted_at TEXT,
        claimed_by TEXT NOT NULL DEFAULT '',
        seconds REAL NOT NULL DEFAULT 0
    ) STRICT""",
    """CREATE TABLE comparisons (
        conversation_id TEXT PRIMARY KEY REFERENCES conversations(id),
        question_id TEXT NOT NULL REFERENCES nodes(id) DEFERRABLE INITIALLY DEFERRED,
        setup TEXT NOT NULL,
        outcome TEXT,
        chosen INTEGER,
        origin_conversation_id TEXT,
        origin_leaf_id TEXT,
        batch_id TEXT REFERENCES batches(id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX comparisons_by_question ON comparisons(question_id)",
    "CREATE INDEX comparisons_by_batch ON comparisons(batch_id) WHERE batch_id IS NOT NULL",
    """CREATE TABLE comparison_answers (
        conversation_id TEXT NOT NULL REFERENCES comparisons(conversation_id),
        place INTEGER NOT NULL,
        generation_id TEXT NOT NULL,
        PRIMARY KEY (conversation_id, place)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE batch_prompts (
        batch_id TEXT NOT NULL REFERENCES batches(id),
        place INTEGER NOT NULL,
        prompt TEXT NOT NULL,
        comparison_id TEXT,
        state TEXT NOT NULL DEFAULT 'open',
        PRIMARY KEY (batch_id, place)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX batch_prompts_by_comparison ON batch_prompts(comparison_id) WHERE comparison_id IS NOT NULL",
)


def registered() -> "Migrations":
    """All migrations, oldest first."""
    # Imported here: it costs as much time as everything else at start, and most starts migrate nothing.
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("codette")

    @migrations()
    def m001_conversations(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        for statement in _M001:
            db.conn.execute(statement)

    @migrations()
    def m002_model_trust(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        db.conn.execute(_M002)

    @migrations()
    def m003_model_profiles(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        db.conn.execute(_M003_MODEL_PROFILES)

    @migrations()
    def m004_responses(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        for statement in _M004:
            db.conn.execute(statement)

    @migrations()
    def m005_servers(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        for statement in _M005:
            db.conn.execute(statement)

    @migrations()
    def m006_model_memory(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        db.conn.execute(_M006_MODEL_MEMORY)

    @migrations()
    def m007_member_standings(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        db.conn.execute(_M007_MEMBER_STANDINGS)

    @migrations()
    def m008_comparisons(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        for statement in _M008_COMPARISONS:
            db.conn.execute(statement)

    _register_whole(migrations)
    return migrations


def _register_whole(migrations: "Migrations") -> None:
    """Those that stand in modules of their own."""

    @migrations()
    def m009_votes(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        for statement in M009_VOTES:
            db.conn.execute(statement)

    @migrations()
    def m010_telemetry(db: "Database") -> None:  # pyright: ignore[reportUnusedFunction]
        for statement in M010_TELEMETRY:
            db.conn.execute(statement)


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version; 0 for a new database."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def version_text(version: int) -> str:
    """ "1.3" for major 1, minor 3."""
    return f"{version >> 16}.{version & 0xFFFF}"


def is_newer(version: int) -> bool:
    """Whether a database of this version is beyond what this application understands."""
    return version >> 16 > MAJOR


def migrate(connection: sqlite3.Connection, migrations: "Migrations | None" = None) -> None:
    """Apply what is pending, each migration in a transaction of its own; raises what the migration raises."""
    from sqlite_utils import Database

    database: Any = Database(connection, execute_plugins=False)
    (migrations or registered()).apply(database)
    if version_of(connection) < VERSION:
        connection.execute(f"PRAGMA user_version = {VERSION}")
