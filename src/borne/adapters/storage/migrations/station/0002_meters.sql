-- The meter that counts a session, and the time of its last sample.

ALTER TABLE session ADD COLUMN meter_serial TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN last_boot TEXT;
ALTER TABLE session ADD COLUMN last_s REAL;
ALTER TABLE session ADD COLUMN last_us INTEGER;
