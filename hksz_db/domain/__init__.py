"""The domain: pure modules without a database and without I/O."""
