-- The form of each message's content (0: an older program wrote it, and nobody has looked at it yet),
-- and the boots whose moments in it still have no date. The content stays as schema 1 writes it.
-- readable from schema 2

ALTER TABLE message ADD COLUMN form INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lost_message ADD COLUMN form INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_of_older ON message (seq) WHERE form = 0;
CREATE INDEX lost_message_of_older ON lost_message (seq) WHERE form = 0;

CREATE TABLE message_undated (
    boot TEXT NOT NULL,
    seq INTEGER NOT NULL, -- of a message that waits or was given up
    latest_s REAL NOT NULL,
    PRIMARY KEY (boot, seq)
) WITHOUT ROWID;
