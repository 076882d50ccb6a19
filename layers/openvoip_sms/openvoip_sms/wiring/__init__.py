"""Builds the parts once per container: the only package that imports all others."""
