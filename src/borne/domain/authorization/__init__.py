"""Who may charge: cards, lists, free charging, the order of the decision."""
