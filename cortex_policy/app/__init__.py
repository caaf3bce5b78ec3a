"""The use cases: the only place where parts are put together.

Each module is one of them. It reads the world once, hands values down the pipeline, and returns a value; it prints
nothing.
"""
