"""Fixtures for every test: the real parts that it may need, each started once in a run."""

pytest_plugins = ["tests.stack.fixtures"]
