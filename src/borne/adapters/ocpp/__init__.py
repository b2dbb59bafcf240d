"""OCPP 1.6: `charge_point` is the client side; the handlers join it with the application."""
