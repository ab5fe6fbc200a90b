"""The one exception that speaks to the person at the keyboard."""


class UserError(Exception):
    """Wrong use or wrong input: a command prints the message and exits with code 2.

    The message says what was wrong, where (file and line), what is accepted and what to do.
    """
