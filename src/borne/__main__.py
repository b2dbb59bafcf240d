"""Entry point of `borne` and `python -m borne`; the commands are in `borne.cli`."""

from borne.cli import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
