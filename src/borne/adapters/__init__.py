"""What speaks with one counterpart each; adapters never import each other."""
