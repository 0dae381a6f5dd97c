"""The Model Context Protocol, by which assistants read; it needs ``requirements-mcp.txt``."""
