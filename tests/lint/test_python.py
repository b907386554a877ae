"""ruff and mypy have nothing to say about any Python file."""

from tests.lint import repository


def handwritten() -> list[str]:
    return [path for path in repository.sources(".py") if not path.endswith(("_pb2.py", "__init__.py"))]


def test_ruff_check() -> None:
    result = repository.python_module("ruff", "check", "--no-cache", *handwritten())
    assert result.returncode == 0, result.stdout


def test_ruff_format() -> None:
    result = repository.python_module("ruff", "format", "--no-cache", "--diff", *handwritten())
    assert result.returncode == 0, result.stdout


def test_mypy() -> None:
    result = repository.python_module("mypy", "--cache-dir=/dev/null", *handwritten())
    assert result.returncode == 0, result.stdout
