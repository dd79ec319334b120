"""Rate: blind duels and what they prove."""
