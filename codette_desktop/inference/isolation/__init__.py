"""Models in a process of their own: what crashes there takes nothing else down."""
