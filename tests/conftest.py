"""What every test can use: the real parts."""

pytest_plugins = ["tests.parts"]
