"""Claims about Hong Kong and Shenzhen: who says what, with which figures, on what evidence."""
