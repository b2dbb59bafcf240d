"""The backend (manual 4): commands, answers, reports, and help for a failing connection."""
