"""Charging profiles of a backend (OCPP 1.6 section 3.13): what they are, when they hold, and what
they come to together. Times are UTC; recurring schedules follow the wall clock of a time zone.
"""
