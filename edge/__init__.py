"""The appliance: decisions, records, services and commands."""

__version__ = "0.1.0"
