"""The real functions in a simulated world where everything goes wrong, by seed.

- `stage` is time and who runs when, `world` the processes that die, `faults` what may go wrong.
- `dynamodb` (with `table` and `attributes`), `sqs`, `scheduler`, `secret_store` and `gateway` are
  the clients that the service calls, and misbehave; `event_source` is between queue and sender.
- `wired` puts them under the service's own wiring, `functions` invokes its handlers.
- `traffic` and `watch` are those who act. `changes` looks at each write, `ledger` at each metric,
  `invariants` at what is left; `run` plays it all.
"""
