"""Sources -> records: the one table every dataset becomes (records.py) and the readers that fill it."""
