"""What a network works in."""
