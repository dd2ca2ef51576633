"""Long work: one row per run, done by one process at a time and resumable after a kill."""
