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
, form INTEGER NOT NULL DEFAULT 0);
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
, form INTEGER NOT NULL DEFAULT 0);
INSERT INTO "message" VALUES(2,'184e6ddf-33c9-542e-b4c1-d761644d4272','StopTransaction','old-session',1,'{"meter_stop":3500,"timestamp":"2026-11-22T13:00:00Z","reason":"Local"}',0,0,'2026-11-22T12:00:00Z',1);
CREATE TABLE message_undated (
    boot TEXT NOT NULL,
    seq INTEGER NOT NULL, -- of a message that waits or was given up
    latest_s REAL NOT NULL,
    PRIMARY KEY (boot, seq)
) WITHOUT ROWID;
CREATE TABLE password (
    role TEXT PRIMARY KEY,
    hash TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO "schema_version" VALUES(1);
INSERT INTO "schema_version" VALUES(2);
INSERT INTO "schema_version" VALUES(3);
INSERT INTO "schema_version" VALUES(4);
INSERT INTO "schema_version" VALUES(5);
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
CREATE TABLE session_card_sum (
    identity_kind TEXT NOT NULL,
    id_token TEXT NOT NULL,
    begun INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    timed INTEGER NOT NULL,
    PRIMARY KEY (identity_kind, id_token)
) WITHOUT ROWID;
INSERT INTO "session_card_sum" VALUES('RFID','04567DAA5F3580',1,1,2500,3600000,1);
CREATE TABLE session_day (
    day INTEGER NOT NULL, -- since 1970, in UTC; -1: of sessions without a date
    connector INTEGER NOT NULL,
    first_number INTEGER NOT NULL, -- the sessions of that day are among these numbers
    last_number INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    timed INTEGER NOT NULL, -- ended ones with a known duration
    PRIMARY KEY (day, connector)
) WITHOUT ROWID;
INSERT INTO "session_day" VALUES(20779,1,1,1,1,1,2500,3600000,1);
CREATE TABLE session_period (
    until_us INTEGER NOT NULL, -- the first microsecond after it
    since_us INTEGER NOT NULL,
    period INTEGER NOT NULL,
    PRIMARY KEY (until_us, since_us)
) WITHOUT ROWID;
CREATE TABLE session_period_card (
    period INTEGER NOT NULL,
    identity_kind TEXT NOT NULL,
    id_token TEXT NOT NULL,
    begun INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    timed INTEGER NOT NULL,
    PRIMARY KEY (period, identity_kind, id_token)
) WITHOUT ROWID;
CREATE TABLE session_period_socket (
    period INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    begun INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    timed INTEGER NOT NULL,
    PRIMARY KEY (period, connector)
) WITHOUT ROWID;
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
CREATE INDEX message_of_older ON message (seq) WHERE form = 0;
CREATE INDEX lost_message_of_older ON lost_message (seq) WHERE form = 0;
CREATE INDEX session_start ON session (start_us);
CREATE INDEX session_connector ON session (connector);
CREATE VIEW session_part AS SELECT
    number, connector, identity_kind, id_token, start_us,
    CASE WHEN start_us IS NULL THEN -1 ELSE start_us / 86400000000 END AS day,
    1 AS begun,
    end_boot IS NOT NULL AS ended,
    CASE WHEN end_boot IS NULL THEN 0 ELSE coalesce(max(0, meter_stop_wh - meter_start_wh), 0)
        END AS energy_wh,
    coalesce(CAST(round(1000 * max(0, CASE WHEN start_boot = end_boot THEN end_s - start_s
        ELSE (end_us - start_us) / 1e6 END)) AS INTEGER), 0) AS duration_ms,
    (CASE WHEN start_boot = end_boot THEN end_s - start_s ELSE end_us - start_us END) IS NOT NULL
        AS timed
FROM session;
CREATE INDEX session_card_energy ON session_card_sum (energy_wh DESC, identity_kind, id_token);
CREATE INDEX session_card_token ON session_card_sum (id_token);
CREATE TRIGGER session_begun AFTER INSERT ON session BEGIN
    INSERT INTO session_day
    SELECT day, connector, number, number, begun, ended, energy_wh, duration_ms, timed
    FROM session_part WHERE number = NEW.number
    ON CONFLICT (day, connector) DO UPDATE SET
        first_number = min(first_number, excluded.first_number),
        last_number = max(last_number, excluded.last_number),
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
    INSERT INTO session_card_sum
    SELECT identity_kind, id_token, begun, ended, energy_wh, duration_ms, timed
    FROM session_part WHERE number = NEW.number
    ON CONFLICT (identity_kind, id_token) DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
END;
CREATE TRIGGER session_gone BEFORE DELETE ON session BEGIN
    UPDATE session_day SET
        begun = session_day.begun - 1,
        ended = session_day.ended - part.ended,
        energy_wh = session_day.energy_wh - part.energy_wh,
        duration_ms = session_day.duration_ms - part.duration_ms,
        timed = session_day.timed - part.timed
    FROM session_part AS part
    WHERE part.number = OLD.number AND session_day.day = part.day
        AND session_day.connector = part.connector;
    DELETE FROM session_day WHERE connector = OLD.connector AND begun = 0
        AND day = CASE WHEN OLD.start_us IS NULL THEN -1 ELSE OLD.start_us / 86400000000 END;
    UPDATE session_card_sum SET
        begun = session_card_sum.begun - 1,
        ended = session_card_sum.ended - part.ended,
        energy_wh = session_card_sum.energy_wh - part.energy_wh,
        duration_ms = session_card_sum.duration_ms - part.duration_ms,
        timed = session_card_sum.timed - part.timed
    FROM session_part AS part
    WHERE part.number = OLD.number AND session_card_sum.identity_kind = part.identity_kind
        AND session_card_sum.id_token = part.id_token;
    DELETE FROM session_card_sum
    WHERE identity_kind = OLD.identity_kind AND id_token = OLD.id_token AND begun = 0;
END;
CREATE TRIGGER session_changes BEFORE UPDATE OF connector, identity_kind, id_token, start_boot,
    start_s, start_us, meter_start_wh, end_boot, end_s, end_us, meter_stop_wh ON session BEGIN
    UPDATE session_day SET
        begun = session_day.begun - 1,
        ended = session_day.ended - part.ended,
        energy_wh = session_day.energy_wh - part.energy_wh,
        duration_ms = session_day.duration_ms - part.duration_ms,
        timed = session_day.timed - part.timed
    FROM session_part AS part
    WHERE part.number = OLD.number AND session_day.day = part.day
        AND session_day.connector = part.connector;
    DELETE FROM session_day WHERE connector = OLD.connector AND begun = 0
        AND day = CASE WHEN OLD.start_us IS NULL THEN -1 ELSE OLD.start_us / 86400000000 END;
    UPDATE session_card_sum SET
        begun = session_card_sum.begun - 1,
        ended = session_card_sum.ended - part.ended,
        energy_wh = session_card_sum.energy_wh - part.energy_wh,
        duration_ms = session_card_sum.duration_ms - part.duration_ms,
        timed = session_card_sum.timed - part.timed
    FROM session_part AS part
    WHERE part.number = OLD.number AND session_card_sum.identity_kind = part.identity_kind
        AND session_card_sum.id_token = part.id_token;
    DELETE FROM session_card_sum
    WHERE identity_kind = OLD.identity_kind AND id_token = OLD.id_token AND begun = 0;
END;
CREATE TRIGGER session_changed AFTER UPDATE OF connector, identity_kind, id_token, start_boot,
    start_s, start_us, meter_start_wh, end_boot, end_s, end_us, meter_stop_wh ON session BEGIN
    INSERT INTO session_day
    SELECT day, connector, number, number, begun, ended, energy_wh, duration_ms, timed
    FROM session_part WHERE number = NEW.number
    ON CONFLICT (day, connector) DO UPDATE SET
        first_number = min(first_number, excluded.first_number),
        last_number = max(last_number, excluded.last_number),
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
    INSERT INTO session_card_sum
    SELECT identity_kind, id_token, begun, ended, energy_wh, duration_ms, timed
    FROM session_part WHERE number = NEW.number
    ON CONFLICT (identity_kind, id_token) DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
END;
CREATE INDEX session_period_card_energy
    ON session_period_card (period, energy_wh DESC, identity_kind, id_token);
CREATE VIEW session_period_part AS
SELECT period, part.*
FROM session_part AS part
JOIN session_period ON part.start_us >= since_us AND part.start_us < until_us;
CREATE TRIGGER session_period_begun AFTER INSERT ON session
WHEN EXISTS (SELECT 1 FROM session_period) BEGIN
    INSERT INTO session_period_socket
    SELECT period, connector, begun, ended, energy_wh, duration_ms, timed
    FROM session_period_part WHERE number = NEW.number
    ON CONFLICT DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
    INSERT INTO session_period_card
    SELECT period, identity_kind, id_token, begun, ended, energy_wh, duration_ms, timed
    FROM session_period_part WHERE number = NEW.number
    ON CONFLICT DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
END;
CREATE TRIGGER session_period_gone BEFORE DELETE ON session
WHEN EXISTS (SELECT 1 FROM session_period) BEGIN
    INSERT INTO session_period_socket
    SELECT period, connector, -begun, -ended, -energy_wh, -duration_ms, -timed
    FROM session_period_part WHERE number = OLD.number
    ON CONFLICT DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
    INSERT INTO session_period_card
    SELECT period, identity_kind, id_token, -begun, -ended, -energy_wh, -duration_ms, -timed
    FROM session_period_part WHERE number = OLD.number
    ON CONFLICT DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
    DELETE FROM session_period_card WHERE begun = 0 AND identity_kind = OLD.identity_kind
        AND id_token = OLD.id_token AND period IN (SELECT period FROM session_period);
END;
CREATE TRIGGER session_period_changes BEFORE UPDATE OF connector, identity_kind, id_token,
    start_boot, start_s, start_us, meter_start_wh, end_boot, end_s, end_us, meter_stop_wh ON session
WHEN EXISTS (SELECT 1 FROM session_period) BEGIN
    INSERT INTO session_period_socket
    SELECT period, connector, -begun, -ended, -energy_wh, -duration_ms, -timed
    FROM session_period_part WHERE number = OLD.number
    ON CONFLICT DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
    INSERT INTO session_period_card
    SELECT period, identity_kind, id_token, -begun, -ended, -energy_wh, -duration_ms, -timed
    FROM session_period_part WHERE number = OLD.number
    ON CONFLICT DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
END;
CREATE TRIGGER session_period_changed AFTER UPDATE OF connector, identity_kind, id_token,
    start_boot, start_s, start_us, meter_start_wh, end_boot, end_s, end_us, meter_stop_wh ON session
WHEN EXISTS (SELECT 1 FROM session_period) BEGIN
    INSERT INTO session_period_socket
    SELECT period, connector, begun, ended, energy_wh, duration_ms, timed
    FROM session_period_part WHERE number = NEW.number
    ON CONFLICT DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
    INSERT INTO session_period_card
    SELECT period, identity_kind, id_token, begun, ended, energy_wh, duration_ms, timed
    FROM session_period_part WHERE number = NEW.number
    ON CONFLICT DO UPDATE SET
        begun = begun + excluded.begun,
        ended = ended + excluded.ended,
        energy_wh = energy_wh + excluded.energy_wh,
        duration_ms = duration_ms + excluded.duration_ms,
        timed = timed + excluded.timed;
    DELETE FROM session_period_card WHERE begun = 0 AND identity_kind = OLD.identity_kind
        AND id_token = OLD.id_token AND period IN (SELECT period FROM session_period);
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('session',1);
INSERT INTO "sqlite_sequence" VALUES('message',2);
INSERT INTO "sqlite_sequence" VALUES('security_event',1);
COMMIT;
