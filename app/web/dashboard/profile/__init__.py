"""What users decide about themselves."""
