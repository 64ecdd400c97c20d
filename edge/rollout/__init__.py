"""New models at the station: how they come in, prove themselves, decide, and go again."""
