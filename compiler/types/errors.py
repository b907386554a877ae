"""What is raised when the description of a kernel or of a binary cannot be used."""


class SnapshotError(Exception):
    """A kernel snapshot, or a part of it, is missing, damaged, or of a form that this compiler does not know.

    The message stands alone: it names the file or the part, and the cause.
    """


class BinaryError(Exception):
    """A program or library, or its debug information, cannot be read; the message names the file and the cause."""


class NoDebugInfo(BinaryError):
    """The binary has no debug information, or not of what was asked."""
