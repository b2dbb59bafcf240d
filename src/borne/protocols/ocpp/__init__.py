"""OCPP 1.6: its messages, and the conversation over JSON; for either side."""
