"""What must happen to a message, whoever brought it: permission, enqueue, deliver, reconcile."""
