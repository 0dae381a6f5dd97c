"""Benchmarks of the service against an ORM and against PostgreSQL alone."""
