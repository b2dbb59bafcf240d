"""The schemas as numbered files, one folder for each database: `0001_first.sql`, ...

Never change a released file; add a new one.
"""
