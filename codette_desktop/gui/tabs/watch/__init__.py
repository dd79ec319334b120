"""Watch: how the models and the machine are doing."""
