"""OCPP 1.6: messages and rpc are direction-neutral, `charge_point` is the client side."""
