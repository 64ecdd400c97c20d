"""The way to the fleet: chain, segments, MQTT."""
