"""Charging profiles of a backend (OCPP 1.6 section 3.13): their data, when they apply, and their
combination. Times are UTC; recurring schedules follow the local time of a time zone."""
