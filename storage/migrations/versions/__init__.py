"""One revision a file, one change a revision."""
