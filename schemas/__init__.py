"""The wire format: what a client may send, ask for and receive."""
