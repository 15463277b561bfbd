"""The command line: a client of the HTTP API, and what runs on this machine."""
