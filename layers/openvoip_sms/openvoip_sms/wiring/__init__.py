"""Builds the parts once per container: the only room that knows them all."""
