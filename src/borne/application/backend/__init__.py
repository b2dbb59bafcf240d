"""The backend (manual 4): commands, answers, what it hears, and help when it cannot be reached."""
