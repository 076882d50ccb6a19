"""The use cases, for every way in: permission, enqueue, deliver, reconcile, manual actions."""
