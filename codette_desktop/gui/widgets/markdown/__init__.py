"""Markdown to blocks, and blocks to text documents."""
