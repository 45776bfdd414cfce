"""What each of several inputs is worth."""
