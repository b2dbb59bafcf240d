"""Register maps of energy meters as data: one file of `data/` per type of meter."""

from borne.protocols.meter_profiles.description import Transport
from borne.protocols.meter_profiles.loading import (
    load_profile,
    parse_profile,
    slugs,
)
from borne.protocols.meter_profiles.parsing import ProfileError
from borne.protocols.meter_profiles.profile import (
    Capabilities,
    Profile,
    Refresh,
    SignedCurrent,
)
from borne.protocols.meter_profiles.registers import Block, Register

__all__ = [
    "Block",
    "Capabilities",
    "Profile",
    "ProfileError",
    "Refresh",
    "Register",
    "SignedCurrent",
    "Transport",
    "load_profile",
    "parse_profile",
    "slugs",
]
