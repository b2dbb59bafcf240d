"""The schemas as numbered files, one folder for each database: `0001_first.sql`, ...

A file that was released is never changed; a change is a new file.
"""
