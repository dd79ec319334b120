"""What is wrong, was wrong, and the rules."""
