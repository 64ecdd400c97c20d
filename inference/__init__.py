"""Models: bundles, the transform before them, and the child process that runs them."""
