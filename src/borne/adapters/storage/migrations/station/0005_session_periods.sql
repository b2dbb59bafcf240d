-- Sums of the periods that pages show again and again (a month, the last 30 days), per socket and
-- per card, so that they cost the same however many sessions begin in them. Triggers keep them.
-- readable from schema 2

CREATE TABLE session_period (
    until_us INTEGER NOT NULL, -- the first microsecond after it
    since_us INTEGER NOT NULL,
    period INTEGER NOT NULL,
    PRIMARY KEY (until_us, since_us)
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
CREATE INDEX session_period_card_energy
    ON session_period_card (period, energy_wh DESC, identity_kind, id_token);

-- What each session adds to the sums of each period that it begins in.
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
