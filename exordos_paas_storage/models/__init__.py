"""What users asked for, one table a file, and the one write path to it.

`base.Asked` is that path: every insert, update and delete, by REST, an agent or a
manifest, checks the rules of `domain`, locks the row and writes the desired columns
alone. The observed half of a row (status after the first moment, conditions, the queue
columns) is written by `reconcile` and by nobody here.
"""
