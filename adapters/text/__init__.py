"""Texts as index images."""
