"""The tables of what is watched, as migration 10 made them; changed by later migrations alone.

The names stand here once more, though `domain.series` has them: a field that is added there needs a migration of its
own, for the tables of those who have this one do not grow by themselves. A test says so.
"""

HOST_COLUMNS = (
    "cpu", "cpu_temperature_c", "memory_used_bytes", "memory_total_bytes", "swap_used_bytes", "disk_free_bytes",
    "disk_read_bytes_s", "disk_write_bytes_s", "net_rx_bytes_s", "net_tx_bytes_s", "our_cpu", "our_memory_bytes",
)  # fmt: skip
ENGINE_COLUMNS = (
    "running", "waiting", "tokens", "requests", "failed", "cache_hits", "cache_lookups", "models", "model_bytes",
)  # fmt: skip
DEVICE_COLUMNS = (
    "utilisation", "memory_utilisation", "memory_used_bytes", "memory_total_bytes", "our_memory_bytes",
    "temperature_c", "power_w", "power_limit_w", "energy_j", "clock_mhz", "memory_clock_mhz", "fan",
    "pcie_rx_bytes_s", "pcie_tx_bytes_s",
)  # fmt: skip
SAMPLE_COLUMNS = HOST_COLUMNS + ENGINE_COLUMNS
TIER_PARTS = ("min", "mean", "max", "p95")


def _reals(names: tuple[str, ...]) -> str:
    return "".join(f",\n        {name} REAL" for name in names)


def tier_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of minutes and hours for some of a sample: "cpu_min", "cpu_mean", "cpu_max", "cpu_p95", ..."""
    return tuple(f"{name}_{part}" for name in names for part in TIER_PARTS)


def _sample_tier(table: str) -> str:
    return f"""CREATE TABLE {table} (
        at INTEGER PRIMARY KEY,
        count INTEGER NOT NULL,
        seconds REAL NOT NULL{_reals(tier_columns(SAMPLE_COLUMNS))}
    ) STRICT"""


def _device_tier(table: str) -> str:
    # No foreign key on the device: looking it up would be a tenth of the write, and devices are never removed.
    return f"""CREATE TABLE {table} (
        device INTEGER NOT NULL,
        at INTEGER NOT NULL,
        count INTEGER NOT NULL,
        seconds REAL NOT NULL,
        used_j REAL,
        throttled TEXT{_reals(tier_columns(DEVICE_COLUMNS))},
        PRIMARY KEY (device, at)
    ) STRICT, WITHOUT ROWID"""


# What the hours of a model hold of each figure: from how many requests, and how they spread.
HOUR_FIGURES = ("first_token", "speed", "total", "queue")
HOUR_PARTS = ("count", "low", "median", "high")
_HOUR_COLUMNS = "".join(
    f",\n        {figure}_{part} {'INTEGER NOT NULL' if part == 'count' else 'REAL'}"
    for figure in HOUR_FIGURES
    for part in HOUR_PARTS
)
# Every index holds what can be filtered by, so that a page of any order is found without reading other rows; what is
# equal lies in the order of time. The moment itself is that of `seq`.
_FILTERS = "model_id, purpose, reason, cached, error_id"
REQUEST_ORDERS = (
    "model_label", "reason", "prompt_tokens", "completion_tokens", "time_to_first_token_ms",
    "tokens_per_second", "total_ms", "energy_j",
)  # fmt: skip


def order_index(column: str) -> str:
    """The name of the index of requests that begins with this column."""
    return f"requests_by_{column}"


M010_TELEMETRY = (
    """CREATE TABLE devices (
        id INTEGER PRIMARY KEY,
        device TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL DEFAULT '',
        vendor TEXT NOT NULL DEFAULT '',
        uuid TEXT NOT NULL DEFAULT '',
        driver TEXT NOT NULL DEFAULT '',
        memory_total_bytes INTEGER
    ) STRICT""",
    # The key is the moment in microseconds since 1970, one more where another sample has that already: in the order of
    # time on the disk, and two processes may sample at the same moment.
    f"""CREATE TABLE samples (
        id INTEGER PRIMARY KEY,
        interval_s REAL NOT NULL{_reals(SAMPLE_COLUMNS)}
    ) STRICT""",
    f"""CREATE TABLE device_samples (
        device INTEGER NOT NULL,
        sample_id INTEGER NOT NULL,
        interval_s REAL NOT NULL,
        status TEXT NOT NULL,
        throttled TEXT{_reals(DEVICE_COLUMNS)},
        PRIMARY KEY (device, sample_id)
    ) STRICT, WITHOUT ROWID""",
    _sample_tier("sample_minutes"),
    _sample_tier("sample_hours"),
    _device_tier("device_minutes"),
    _device_tier("device_hours"),
    "CREATE TABLE marks (id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, "
    "model TEXT NOT NULL) STRICT",
    "CREATE INDEX marks_by_time ON marks(at)",
    # What requests have in common stands once: a million of them name a few models.
    """CREATE TABLE request_models (
        id INTEGER PRIMARY KEY,
        model TEXT NOT NULL,
        model_label TEXT NOT NULL,
        model_hash TEXT NOT NULL,
        backend TEXT NOT NULL,
        folded TEXT NOT NULL,
        UNIQUE (model, model_label, model_hash, backend)
    ) STRICT""",
    """CREATE TABLE request_errors (
        id INTEGER PRIMARY KEY,
        error_type TEXT NOT NULL,
        error TEXT NOT NULL,
        folded TEXT NOT NULL,
        UNIQUE (error_type, error)
    ) STRICT""",
    # `seq` is the moment, as in samples.
    """CREATE TABLE requests (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        at REAL NOT NULL,
        model_id INTEGER NOT NULL REFERENCES request_models(id),
        model_label TEXT NOT NULL COLLATE NOCASE,
        purpose TEXT NOT NULL,
        reason TEXT NOT NULL,
        error_id INTEGER REFERENCES request_errors(id),
        prompt_tokens INTEGER,
        completion_tokens INTEGER NOT NULL,
        time_to_first_token_ms REAL,
        tokens_per_second REAL,
        total_ms REAL,
        load_ms REAL,
        queue_ms REAL,
        prefill_ms REAL,
        reused_tokens INTEGER NOT NULL,
        cached INTEGER NOT NULL,
        truncated INTEGER NOT NULL,
        energy_j REAL
    ) STRICT""",
    f"CREATE INDEX {order_index('at')} ON requests(seq, {_FILTERS})",
    *(f"CREATE INDEX {order_index(column)} ON requests({column}, seq, {_FILTERS})" for column in REQUEST_ORDERS),
    "CREATE INDEX requests_by_error ON requests(error_id) WHERE error_id IS NOT NULL",
    f"""CREATE TABLE request_hours (
        at INTEGER NOT NULL,
        model_id INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        errors INTEGER NOT NULL,
        cancelled INTEGER NOT NULL,
        cached INTEGER NOT NULL,
        truncated INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        energy_j REAL{_HOUR_COLUMNS},
        PRIMARY KEY (at, model_id)
    ) STRICT, WITHOUT ROWID""",
    # Beside the hours, so that these are read without them.
    """CREATE TABLE request_spreads (
        at INTEGER NOT NULL,
        model_id INTEGER NOT NULL,
        bins BLOB NOT NULL,
        PRIMARY KEY (at, model_id)
    ) STRICT, WITHOUT ROWID""",
    # Hours whose requests have changed since they were reckoned, and how often.
    "CREATE TABLE request_hours_open (at INTEGER PRIMARY KEY, changes INTEGER NOT NULL DEFAULT 1) STRICT",
    # What every request there ever was adds up to: see `totals`.
    """CREATE TABLE request_totals (
        total TEXT NOT NULL,
        model TEXT NOT NULL,
        backend TEXT NOT NULL,
        kind TEXT NOT NULL,
        bound REAL NOT NULL,
        is_sum INTEGER NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (total, model, backend, kind, bound, is_sum)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE flights (
        generation_id TEXT PRIMARY KEY,
        started_at REAL,
        times BLOB NOT NULL,
        counts BLOB NOT NULL,
        queue_ms REAL,
        prefill_ms REAL,
        energy_j REAL,
        rest TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX flights_by_time ON flights(started_at)",
    """CREATE TABLE alert_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        key TEXT NOT NULL,
        rule TEXT NOT NULL,
        labels TEXT NOT NULL,
        state TEXT NOT NULL,
        severity TEXT NOT NULL,
        value REAL,
        since TEXT NOT NULL,
        text TEXT NOT NULL,
        resolved_at TEXT,
        snoozed_until TEXT,
        told INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX alert_events_by_time ON alert_events(at)",
    "CREATE INDEX alert_events_by_rule ON alert_events(rule, at)",
    "CREATE TABLE alert_rules (name TEXT PRIMARY KEY, rule TEXT NOT NULL, changed_at TEXT NOT NULL) STRICT",
    "CREATE TABLE watch_state (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL) STRICT",
)
