-- Sessions, the queue of transaction messages, lists, accounts, state, security log.
-- A moment is three columns: boot, monotonic seconds, and UTC microseconds (NULL while undated).

CREATE TABLE dating (
    boot TEXT PRIMARY KEY,
    wall_us INTEGER NOT NULL,
    monotonic_s REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE session (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL UNIQUE,
    connector INTEGER NOT NULL,
    identity_kind TEXT NOT NULL,
    id_token TEXT NOT NULL,
    group_id TEXT,
    start_boot TEXT NOT NULL,
    start_s REAL NOT NULL,
    start_us INTEGER,
    meter_start_wh INTEGER NOT NULL,
    reported INTEGER NOT NULL,
    reservation_id INTEGER,
    start_flags TEXT NOT NULL,
    end_boot TEXT,
    end_s REAL,
    end_us INTEGER,
    meter_stop_wh INTEGER,
    end_reason TEXT,
    end_id_token TEXT,
    end_flags TEXT,
    start_seq INTEGER,
    transaction_id INTEGER,
    id_status TEXT,
    last_wh INTEGER NOT NULL,
    max_power_w REAL NOT NULL DEFAULT 0,
    thinned_messages INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX session_open ON session (number) WHERE end_boot IS NULL;
CREATE INDEX session_undated ON session (number)
    WHERE start_us IS NULL OR (end_boot IS NOT NULL AND end_us IS NULL);
CREATE INDEX session_transaction ON session (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX session_start_seq ON session (start_seq) WHERE start_seq IS NOT NULL;

CREATE TABLE message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    session_id TEXT,
    connector INTEGER NOT NULL,
    payload TEXT NOT NULL,
    droppable INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    enqueued_at TEXT NOT NULL
);

CREATE TABLE lost_message (
    seq INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    session_id TEXT,
    connector INTEGER NOT NULL,
    payload TEXT NOT NULL,
    droppable INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    enqueued_at TEXT NOT NULL,
    transaction_id INTEGER,
    reason TEXT NOT NULL,
    lost_at TEXT NOT NULL
);

CREATE TABLE whitelist (
    token TEXT NOT NULL,
    connector INTEGER NOT NULL, -- 0: any
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    added_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    PRIMARY KEY (token, connector)
) WITHOUT ROWID;

CREATE TABLE token (
    list TEXT NOT NULL,
    token TEXT NOT NULL,
    status TEXT NOT NULL,
    parent TEXT,
    expires_at TEXT,
    updated_at TEXT NOT NULL,
    put INTEGER NOT NULL, -- grows with every put: the oldest go first
    PRIMARY KEY (list, token)
) WITHOUT ROWID;
CREATE INDEX token_put ON token (list, put);

CREATE TABLE token_list (
    list TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE password (
    role TEXT PRIMARY KEY,
    hash TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_token (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    token_id TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE TABLE login_link (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    expires_at TEXT NOT NULL
);

CREATE TABLE state (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE security_event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    boot TEXT NOT NULL,
    monotonic_s REAL NOT NULL,
    wall_us INTEGER,
    hash TEXT NOT NULL
);

-- One row: what the chain of the security log continues from, and the name space of message ids.
CREATE TABLE identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    message_namespace TEXT NOT NULL,
    security_anchor_seq INTEGER NOT NULL DEFAULT 0,
    security_anchor_hash TEXT NOT NULL DEFAULT ''
);
