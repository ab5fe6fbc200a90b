"""What goes wrong for the person who runs a command."""


class UserError(Exception):
    """Something that whoever runs a command can put right.

    Its message says what was wrong and where, what is accepted, and what to do. Commands print it
    and end with exit code 2, without a traceback.
    """
