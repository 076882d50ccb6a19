"""The real delivery code in a simulated world where everything goes wrong, by seed.

`stage` is time and who runs when, `faults` what may go wrong, `world` the processes that die.
`table`, `cloud` and `gateway` misbehave; `wired` puts the real delivery and the real functions in
between. `traffic` and `watch` are those who act, `invariants` says what must hold, `run` plays it.
"""
