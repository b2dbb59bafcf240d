-- Indexes and sums over the sessions, so that lists and figures cost the same with five sessions as
-- with a hundred thousand. Triggers keep the sums: they hold whichever program writes a session.
-- readable from schema 2

CREATE INDEX session_start ON session (start_us);
CREATE INDEX session_connector ON session (connector);

-- What each session adds to the sums. Within a boot the monotonic clock is exact; across boots
-- only the dates are comparable.
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
CREATE INDEX session_card_energy ON session_card_sum (energy_wh DESC, identity_kind, id_token);
CREATE INDEX session_card_token ON session_card_sum (id_token);

INSERT INTO session_day
SELECT day, connector, min(number), max(number), count(*), sum(ended), sum(energy_wh),
    sum(duration_ms), sum(timed)
FROM session_part GROUP BY day, connector;

INSERT INTO session_card_sum
SELECT identity_kind, id_token, count(*), sum(ended), sum(energy_wh), sum(duration_ms), sum(timed)
FROM session_part GROUP BY identity_kind, id_token;

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
