"""Who may do what: persons, PINs, badges, sessions, tokens of machines."""
