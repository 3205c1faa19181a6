"""Benchmarks: commands that print ratios. Nothing imports them."""
