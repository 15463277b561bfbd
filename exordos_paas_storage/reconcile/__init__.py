"""From rows to the engine and back; the only writer of a row's observed half.

A writer queues a row by bumping its `revision`. Here it is claimed under a lease, seen
on the engine, planned by `domain.plan`, changed, read back, and its outcome recorded
where `revision` is still the claimed one. A failure stops that one row.
"""
