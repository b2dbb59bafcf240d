-- Curves of sessions: what may be lost.

CREATE TABLE curve (
    key INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE
);

CREATE TABLE sample (
    key INTEGER NOT NULL,
    number INTEGER NOT NULL,
    boot TEXT NOT NULL,
    monotonic_s REAL NOT NULL,
    wall_us INTEGER,
    register_wh INTEGER NOT NULL,
    current_l1_a REAL NOT NULL,
    current_l2_a REAL NOT NULL,
    current_l3_a REAL NOT NULL,
    voltage_l1_v REAL NOT NULL,
    voltage_l2_v REAL NOT NULL,
    voltage_l3_v REAL NOT NULL,
    power_w REAL NOT NULL,
    offered_a REAL NOT NULL,
    context TEXT NOT NULL,
    PRIMARY KEY (key, number)
) WITHOUT ROWID;
