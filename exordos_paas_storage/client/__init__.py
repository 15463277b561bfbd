"""The HTTP client that the command line, `up` and portals use."""
