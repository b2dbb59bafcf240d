"""The settings of a running station: access, drafts, changes, notifications."""
