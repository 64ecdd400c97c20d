"""What the line asks and what it is told."""
