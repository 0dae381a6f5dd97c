"""What the API and the pages share: how requests are read, and documents for their answers."""
