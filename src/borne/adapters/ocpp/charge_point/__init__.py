"""The charge point's side of OCPP 1.6: connect, boot, report, deliver, execute commands."""
