"""Identity on one box: a token issuer and a driver in place of the platform's Core."""
