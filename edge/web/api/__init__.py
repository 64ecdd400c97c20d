"""What other programs, and the scripts of the page, ask for: docs/api.md."""
