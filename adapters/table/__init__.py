"""Rows of a table as images: a pixel for each column."""
