"""Certificates, security profiles and security events (OCPP 1.6 security whitepaper)."""
