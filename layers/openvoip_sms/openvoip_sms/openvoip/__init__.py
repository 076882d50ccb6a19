"""Everything that knows this gateway; another gateway would be a folder like this one."""
