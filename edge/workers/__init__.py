"""The threads of the line process, one file each; data flows one way through them."""
