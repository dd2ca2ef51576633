"""Sites: booking phrases, assistant, back-tests."""
