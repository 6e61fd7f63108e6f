"""The commands of `python -m broadcaster`, loaded one by one by `__main__`."""
