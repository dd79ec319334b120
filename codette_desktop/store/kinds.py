"""The kinds of conversations, and where their messages stand in the index."""

CHAT, COMPARISON, DUEL = "chat", "comparison", "duel"

# The first and the last search_id of a kind. A message said in several kinds stands in the topmost of them.
SEARCH_IDS = {
    CHAT: (1, 2**63 - 1),
    COMPARISON: (-(2**62) + 1, -1),
    DUEL: (-(2**63) + 1, -(2**62)),
}
