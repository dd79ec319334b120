"""Several models writing one answer together: their next tokens are compared as bytes, whatever their vocabularies.

(Yao et al. 2024, "UniTE": the union of the members' first choices; Yun et al. 2025, "SAFE": only where it is safe and
they do not agree.)
"""
