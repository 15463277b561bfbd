"""The service on one box: its own database, supervision, `up` and the like."""
