"""What things are: messages, models, requests, answers, events, errors. Standard library only."""
