"""llama.cpp in this process, through the low-level binding of llama-cpp-python."""
