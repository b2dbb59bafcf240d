"""Certificates, security profiles and events (security whitepaper of OCPP 1.6)."""
