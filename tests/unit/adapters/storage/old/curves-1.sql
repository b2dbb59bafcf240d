BEGIN TRANSACTION;
CREATE TABLE curve (
    key INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE
);
INSERT INTO "curve" VALUES(1,'old-session');
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
INSERT INTO "sample" VALUES(1,1,'boot-1',0.0,1795348800000000,1000,10.5,10.25,0.0,230.0,230.0,230.0,0.0,16.0,'Sample.Periodic');
INSERT INTO "sample" VALUES(1,2,'boot-1',3600.0,1795352400000000,3500,10.5,10.25,0.0,230.0,230.0,230.0,11000.0,16.0,'Sample.Periodic');
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO "schema_version" VALUES(1);
COMMIT;
