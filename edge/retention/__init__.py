"""What is given up when room or time runs out, and how long they last."""
