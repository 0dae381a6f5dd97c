"""What goes out of a database and comes into another, in the formats of the field."""
