"""Peers: other frameworks that answer the reads of the benchmark with the service's statements."""
