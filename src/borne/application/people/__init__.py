"""Accounts, logins and passwords (manual 3)."""
