BEGIN TRANSACTION;
CREATE TABLE api_token (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    token_id TEXT NOT NULL UNIQUE,
    hash TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE dating (
    boot TEXT PRIMARY KEY,
    wall_us INTEGER NOT NULL,
    monotonic_s REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE identity (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    message_namespace TEXT NOT NULL,
    security_anchor_seq INTEGER NOT NULL DEFAULT 0,
    security_anchor_hash TEXT NOT NULL DEFAULT ''
);
INSERT INTO "identity" VALUES(1,'cf94d60d-be61-5a83-b5fd-c461d88aae3d',0,'');
CREATE TABLE login_link (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    expires_at TEXT NOT NULL
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
INSERT INTO "message" VALUES(2,'184e6ddf-33c9-542e-b4c1-d761644d4272','StopTransaction','old-session',1,'{"meter_stop":3500,"timestamp":"2026-11-22T13:00:00Z","reason":"Local"}',0,0,'2026-11-22T12:00:00Z');
CREATE TABLE password (
    role TEXT PRIMARY KEY,
    hash TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO "schema_version" VALUES(1);
INSERT INTO "schema_version" VALUES(2);
CREATE TABLE security_event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    boot TEXT NOT NULL,
    monotonic_s REAL NOT NULL,
    wall_us INTEGER,
    hash TEXT NOT NULL
);
INSERT INTO "security_event" VALUES(1,'StartupOfTheDevice','','boot-1',0.0,1795348800000000,'bba9088cb9938082226981defed868c51e2097ababe3330db2ba71989a24961e');
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
, meter_serial TEXT NOT NULL DEFAULT '', last_boot TEXT, last_s REAL, last_us INTEGER);
INSERT INTO "session" VALUES(1,'old-session',1,'RFID','04567DAA5F3580',NULL,'boot-1',0.0,1795348800000000,1000,1,NULL,'','boot-1',3600.0,1795352400000000,3500,'Local','04567DAA5F3580','',1,42,'Accepted',3500,11000.0,0,'OLD1','boot-1',3600.0,1795352400000000);
CREATE TABLE state (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "state" VALUES('boots','7');
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
CREATE TABLE token_list (
    list TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE whitelist (
    token TEXT NOT NULL,
    connector INTEGER NOT NULL, -- 0: any
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    added_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    PRIMARY KEY (token, connector)
) WITHOUT ROWID;
INSERT INTO "whitelist" VALUES('04567DAA5F3580',0,'RFID','Ada','','');
CREATE INDEX session_open ON session (number) WHERE end_boot IS NULL;
CREATE INDEX session_undated ON session (number)
    WHERE start_us IS NULL OR (end_boot IS NOT NULL AND end_us IS NULL);
CREATE INDEX session_transaction ON session (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX session_start_seq ON session (start_seq) WHERE start_seq IS NOT NULL;
CREATE INDEX token_put ON token (list, put);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('session',1);
INSERT INTO "sqlite_sequence" VALUES('message',2);
INSERT INTO "sqlite_sequence" VALUES('security_event',1);
COMMIT;
