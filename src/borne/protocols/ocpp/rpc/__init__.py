"""The RPC layer of OCPP-J 1.6 (chapter 4), the same for charge point and central system."""
