"""The page of the live instruments: cards, models, charts."""
