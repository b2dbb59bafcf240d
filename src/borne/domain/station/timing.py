"""Times that the connector machine keeps, each with its reason (IEC 61851-1 Table A.6 and ours).

Opening the contactor at unplugging is never timed here: it is commanded in the same step as the
report, and the board does it by itself within 100 ms.
"""

FORCED_OPEN_S = 6.0
"""A vehicle has 3 s to open S2 after the PWM stopped; one that ignores it is cut off under load
no earlier than this (sequences 9 and 10.2)."""

PACE_S = 5.0
"""A vehicle follows a new duty cycle within 5 s, so it is not raised more often (sequence 6)."""

PACE_STEP_A = 0.05
"""A smaller rise is not worth a new duty cycle; a fall always is."""

CONTACTOR_OPEN_FEEDBACK_S = 0.5
"""Feedback still closed this long after the command to open: welded."""

CONTACTOR_CLOSE_FEEDBACK_S = 1.0
"""Feedback still open this long after the board was to close: it does not close. The board may
run a self-test of the residual current monitor first."""

REST_S = 5.0
"""Pause of the contactor between opening and closing, to spare its contacts."""

REST_REPORT_DELAY_S = 0.5
"""A contactor that opens while the vehicle asks may be the first sign of a plug that is pulled; one
that is still open after this is a pause of the station."""

FINISHING_LED_S = 30.0
"""Longest yellow light after a session (manual 6)."""

STATE_F_S = 5.0
"""A vehicle that was asking when a fault came sees state F for this long (at least 0.3 s, Table
A.5; it opens S2 within 3 s). Its plug is kept until then, unless the contactor is welded: then
plug and state F stay."""

SIGNAL_SETTLE_S = 0.3
"""After a change of our own command the pilot may still show the state before it; E or F longer
than this is the vehicle's (or the wire's)."""

BAD_PLUG_S = 2.0
"""A plug may be read as half plugged this long while it is put in."""

DIODE_EVIDENCE_S = 0.1
"""A missing diode must show this long while the vehicle asks; in B it counts at once."""

WAKE_AFTER_S = 30.0
"""A vehicle that does not react to an offer for this long is woken, once for each offer."""

WAKE_S = 4.0
"""Length of the simulated unplugging (Annex A.5.3)."""

WAKE_SETTLE_S = 0.75
"""The pilot is not judged this long after it."""

MINIMUM_A = 6.0
"""The smallest current that can be signalled."""

ASK_S = 10.0
"""A vehicle may take this long after the start of its session to ask for energy; one that has not
asked by then (full, asleep, waiting for its timer) is told as pausing. Shorter would tell a pause
before every session, longer would tell a charge that is none."""
