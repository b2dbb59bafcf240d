"""The asynchronous application services, which connect the domain with ports."""
