"""The one durable store of a station."""
