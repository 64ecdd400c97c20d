"""The bundles that ship with the appliance."""
