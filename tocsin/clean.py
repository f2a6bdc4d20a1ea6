"""Text from outside, cleaned once at the border."""
