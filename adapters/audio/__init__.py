"""Sound files as log-mel images."""
