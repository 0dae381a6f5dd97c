"""The wire format: what clients may send, ask for and receive."""
