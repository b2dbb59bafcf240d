"""The energy meters of the field: the meter of the site, live tests and scans."""
