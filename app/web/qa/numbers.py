"""`/qa/numbers`: how much is checked, how often something is wrong, how long it takes to fix."""
