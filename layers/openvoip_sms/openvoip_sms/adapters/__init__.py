"""The ways out: table, queue, schedule, secrets."""
