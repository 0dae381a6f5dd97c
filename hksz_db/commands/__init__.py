"""The command line, one module a subject; ``registry`` knows them all."""
