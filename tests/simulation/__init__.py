"""The real delivery code in a simulated world where everything goes wrong, by seed.

`stage` is time and who runs when, `faults` what may go wrong, `cloud` the table, queue, scheduler
and secrets, `gateway` the gateway, `traffic` those who send messages, `world` puts the real code
in between, `invariants` says what must hold, `run` plays seed after seed.
"""
