"""Which kernels the tests use."""

# Debian's cloud kernels by series, which the tests boot. A suite's archive holds only its newest kernel: when the pinned one has gone, the
# repository rule takes the one that is there, says so, and asks for a new pin. So the pin tells what was tested last and
# guards against a forged file; it does not bring an old kernel back.
KERNELS = {
    "6.1": struct(
        suite = "bookworm",
        package = "linux-image-6.1.0-50-cloud-amd64",
        version = "6.1.176-1",
        sha256 = "efe19f605b6f54a8352e68d85a629abb2d30b72a085faef603a9152590baa791",
    ),
    "6.12": struct(
        suite = "trixie",
        package = "linux-image-6.12.107+deb13-cloud-amd64",
        version = "6.12.107-1",
        sha256 = "04434ff520f860423eafe4203d986a35682ce73c2f71baa39e988ca0da93ac91",
    ),
}

# An older one, which only some tests boot: it has neither attach cookies nor links for many places.
OLD_KERNELS = {
    "5.10": struct(
        suite = "bullseye",
        package = "linux-image-5.10.0-32-cloud-amd64",
        version = "5.10.223-1",
        sha256 = "fb4a1229952d892138532c1d9f40a7fd0bd408e4dcf969c12e4524b6a89fdcb8",
    ),
}

# Those whose types tests compile against, without booting them.
TYPES_KERNELS = {
    "7.2": struct(
        suite = "sid",
        package = "linux-binary-7.2.13+deb14-cloud-amd64",
        version = "7.2.13-1",
        sha256 = "03e41f1c34c16583462f029e81944a85ebcdb78098c258dedfa1cfdd680a27f8",
    ),
}

def kernel_repository_name(series):
    """The repository of a kernel, for example debian_kernel_6_1 for "6.1"."""
    return "debian_kernel_" + series.replace(".", "_")
