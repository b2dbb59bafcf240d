"""Times of the connector's state machine, each with its reason (IEC 61851-1 Table A.6 and ours).

Opening the contactor at unplugging has no delay here: it is commanded in the same step as the
report, and the board does it without a command within 100 ms.
"""

FORCED_OPEN_S = 6.0
"""A vehicle has 3 s to open S2 after the PWM stopped; one that does not is cut off under load, no
earlier than this (sequences 9 and 10.2)."""

PACE_S = 5.0
"""A vehicle follows a new duty cycle within 5 s, so increases are at least this far apart (sequence
6)."""

PACE_STEP_A = 0.05
"""A smaller increase does not change the duty cycle; a decrease always does."""

CONTACTOR_OPEN_FEEDBACK_S = 0.5
"""Feedback still closed after this time: the contactor is welded."""

CONTACTOR_CLOSE_FEEDBACK_S = 1.0
"""Feedback still open after this time: the contactor does not close. The board may run a self-test
of the residual current monitor first."""

REST_S = 5.0
"""Pause of the contactor between opening and closing, to protect its contacts."""

REST_REPORT_DELAY_S = 0.5
"""A contactor that opens while the vehicle asks for energy may be the first sign of unplugging. If
it is still open after this time, it is a pause of the station."""

FINISHING_LED_S = 30.0
"""Longest time of the yellow light after a session (manual 6)."""

STATE_F_S = 5.0
"""A vehicle that asked for energy at a fault sees state F for this time (at least 0.3 s, Table A.5;
it opens S2 within 3 s). Its plug stays locked until then. With a welded contactor, plug and state F
stay."""

SIGNAL_SETTLE_S = 0.3
"""After a command of ours the pilot may still show the old state; E or F beyond this time is from
the vehicle or the wire."""

BAD_PLUG_S = 2.0
"""While being inserted, a plug may appear half inserted for this time."""

DIODE_EVIDENCE_S = 0.1
"""A missing diode must last this long while the vehicle asks for energy; in state B it counts at
once."""

WAKE_AFTER_S = 30.0
"""A vehicle that does not react to an offer for this time is woken up, once per offer."""

WAKE_S = 4.0
"""Length of the simulated unplugging (Annex A.5.3)."""

WAKE_SETTLE_S = 0.75
"""The pilot is not evaluated for this time after it."""

MINIMUM_A = 6.0
"""The smallest current that the pilot can signal."""

ASK_S = 10.0
"""Time in which a vehicle may ask for energy after the start of its session; later (full, asleep,
waiting for a timer) it is reported as paused. Shorter would report a pause before every session,
longer would report a charge that does not take place."""
