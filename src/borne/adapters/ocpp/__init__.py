"""OCPP 1.6: `charge_point` is the client; the handlers connect it with the application."""
