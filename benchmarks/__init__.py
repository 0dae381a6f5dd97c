"""How fast the service answers, beside the usual way to write it and beside PostgreSQL alone."""
