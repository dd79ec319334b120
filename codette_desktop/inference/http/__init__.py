"""Answers from servers over HTTP: Ollama, and whatever speaks OpenAI's protocol."""
