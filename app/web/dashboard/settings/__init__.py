"""What the server is configured for."""
