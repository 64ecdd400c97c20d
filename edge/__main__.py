"""`python -m edge` is the command `edge-inspect`."""

from edge.cli.main import main

main()
