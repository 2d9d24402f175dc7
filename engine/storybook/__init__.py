"""Story files: a customer's story written down by a bookkeeper, read strictly, told by the engine, and compared.

The text of a file comes in and nothing is opened here. What cannot be understood is named with its line and with what
would be accepted.
"""
