"""What is raised when a kernel's description cannot be used."""


class SnapshotError(Exception):
    """A kernel snapshot, or a part of it, is missing, damaged, or of a form that this compiler does not know.

    The message stands alone: it names the file or the part, and the cause.
    """
