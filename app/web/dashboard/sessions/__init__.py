"""Sessions: the list, one session with its lead, and what people do with them."""
