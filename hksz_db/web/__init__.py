"""The pages for people who read the database in a browser. They need no JavaScript."""
