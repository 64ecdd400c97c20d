"""The whole appliance on one machine, on a simulated line."""
