"""The tables of votes, duels and the audit trail, as migration 9 made them; changed by later migrations alone."""

M009_VOTES = (
    """CREATE TABLE contestants (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL,
        spec TEXT NOT NULL,
        setup TEXT NOT NULL,
        files TEXT NOT NULL,
        quantisation TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE experiments (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        question TEXT NOT NULL,
        contestants TEXT NOT NULL,
        source TEXT NOT NULL,
        prompts TEXT NOT NULL,
        rule TEXT NOT NULL,
        created_at TEXT NOT NULL,
        ending TEXT,
        ended_at TEXT,
        deleted_at TEXT
    ) STRICT""",
    # A duel is a conversation of another kind: its question has two answers below it.
    """CREATE TABLE duels (
        conversation_id TEXT PRIMARY KEY REFERENCES conversations(id),
        experiment_id TEXT NOT NULL REFERENCES experiments(id),
        question_id TEXT NOT NULL REFERENCES nodes(id) DEFERRABLE INITIALLY DEFERRED,
        left_contestant INTEGER NOT NULL REFERENCES contestants(id),
        right_contestant INTEGER NOT NULL REFERENCES contestants(id),
        left_node TEXT NOT NULL REFERENCES nodes(id) DEFERRABLE INITIALLY DEFERRED,
        right_node TEXT NOT NULL REFERENCES nodes(id) DEFERRABLE INITIALLY DEFERRED,
        prompt_hash TEXT NOT NULL,
        seed INTEGER NOT NULL,
        swapped INTEGER NOT NULL,
        task TEXT NOT NULL,
        leaks TEXT NOT NULL,
        voted INTEGER NOT NULL DEFAULT 0,
        names_seen INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX duels_by_experiment ON duels(experiment_id, voted)",
    "CREATE INDEX duels_by_question ON duels(question_id)",
    "CREATE INDEX duels_by_left ON duels(left_node)",
    "CREATE INDEX duels_by_right ON duels(right_node)",
    # Votes outlive the texts they are about: they name them by their hashes.
    """CREATE TABLE votes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        cast_at TEXT NOT NULL,
        source TEXT NOT NULL,
        preference TEXT NOT NULL,
        exclusion TEXT NOT NULL,
        experiment_id TEXT NOT NULL,
        duel_id TEXT NOT NULL,
        prompt_hash TEXT NOT NULL,
        prompt_key INTEGER NOT NULL,
        task TEXT NOT NULL,
        tags TEXT NOT NULL,
        correction TEXT NOT NULL,
        leaks TEXT NOT NULL,
        seconds REAL,
        seed INTEGER,
        swapped INTEGER NOT NULL,
        left_contestant INTEGER NOT NULL REFERENCES contestants(id),
        right_contestant INTEGER REFERENCES contestants(id),
        left_node TEXT NOT NULL,
        right_node TEXT NOT NULL,
        left_answer TEXT NOT NULL,
        right_answer TEXT NOT NULL,
        style_length REAL NOT NULL,
        style_headers REAL NOT NULL,
        style_lists REAL NOT NULL,
        style_bold REAL NOT NULL,
        import_hash TEXT NOT NULL,
        taken_back_at TEXT
    ) STRICT""",
    "CREATE INDEX votes_by_moment ON votes(cast_at)",
    # A vote of a file has none of these: an import of a hundred thousand need not pay for them.
    "CREATE INDEX votes_by_experiment ON votes(experiment_id) WHERE experiment_id <> ''",
    "CREATE INDEX votes_by_duel ON votes(duel_id) WHERE duel_id <> ''",
    "CREATE INDEX votes_by_left_node ON votes(left_node) WHERE left_node <> ''",
    "CREATE INDEX votes_by_right_node ON votes(right_node) WHERE right_node <> ''",
    "CREATE INDEX votes_by_import ON votes(import_hash) WHERE import_hash <> ''",
    # Whole in themselves: a leaderboard reads these two and no vote.
    """CREATE INDEX votes_that_count ON votes(cast_at, seq, left_contestant, right_contestant, preference, prompt_key,
            task, source, experiment_id, exclusion, taken_back_at)
        WHERE exclusion = '' AND taken_back_at IS NULL AND right_contestant IS NOT NULL""",
    """CREATE INDEX votes_left_out ON votes(cast_at, left_contestant, right_contestant,
            task, source, experiment_id, exclusion, taken_back_at)
        WHERE exclusion <> '' OR taken_back_at IS NOT NULL""",
    # Appended to only. Each `mac` covers the one before, under a key that lies outside the database; `key_id` tells
    # which one.
    """CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        payload TEXT NOT NULL,
        key_id TEXT NOT NULL,
        mac BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX audit_by_subject ON audit(subject)",
)
