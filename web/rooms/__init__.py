"""The rooms that a person can walk into: one file, one part of the house."""
