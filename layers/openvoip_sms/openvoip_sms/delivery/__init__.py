"""What must happen to a message, whoever brought it: accept, deliver, reconcile, decide."""
