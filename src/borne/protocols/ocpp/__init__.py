"""OCPP 1.6: messages, and the JSON protocol for both sides."""
