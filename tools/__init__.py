"""Development scripts; not installed with the package."""
