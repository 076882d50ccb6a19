"""The ways out: gateway, table, queue, schedule, secrets."""
