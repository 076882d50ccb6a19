"""One module a way in: what it asks for becomes messages, and what became of them its outcome."""
