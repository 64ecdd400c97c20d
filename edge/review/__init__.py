"""What persons are asked, and what they answered."""
