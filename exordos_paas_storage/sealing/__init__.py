"""Secrets at rest: sealed values, key files, password hashes. Only models open them."""
