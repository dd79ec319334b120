"""Goes to where an answer is kept: to its branch of its chat, or to its comparison."""

import asyncio
from typing import TYPE_CHECKING

from codette_desktop.domain.request_log import RequestPlace

if TYPE_CHECKING:
    from codette_desktop.gui.main_window import MainWindow


async def show_answer(window: "MainWindow", place: RequestPlace) -> None:
    """Nothing happens for an answer that is not kept. Raises StoreError where it has just been deleted."""
    if not place.conversation_id:
        return
    if place.kind == "comparison":
        window.show_tab("compare")
        window.compare.open(place.conversation_id)
        return
    store = window.application.store
    if place.node_id and all(
        node.id != place.node_id for node in window.application.chat.branch(place.conversation_id)
    ):
        await asyncio.wrap_future(store.conversations.select_leaf_under(place.node_id))
    window.show_tab("ask")
    window.ask.show_chat(place.conversation_id)
    if place.node_id:
        window.ask.reveal(place.node_id)
