"""What stands in for hardware: a machine pool, a guest system, and a network."""
