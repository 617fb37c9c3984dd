"""`make demo`: invoices on their way from a local Solvimon into a local Rillet, in tables for people.

`script` has the order of the `sections`, `local.books_check` compares both sides' books.
"""


def missing_package(name: str | None) -> str:
    """Return the remedy for a package that is not there, without importing any."""
    return (
        f"The Python package {name} is not installed here. Run `make demo`, which sets everything up; "
        "if it says this too, delete the folder .venv and run it again."
    )
