"""The terms of the field: pure modules, without a database and without I/O."""
