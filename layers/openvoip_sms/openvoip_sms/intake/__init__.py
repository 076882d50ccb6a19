"""One module for each way in: a request becomes messages, and their results its outcome."""
