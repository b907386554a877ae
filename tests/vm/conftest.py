"""Fixtures of the tests that use a virtual machine; vm_test.bzl sets the variables."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.vm.machine import Machine


@pytest.fixture(scope="session")
def make_machine(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Machine]:
    """Makes a machine that is not yet up; its console's log bears the name that is given."""
    directory = tmp_path_factory.mktemp("console")

    def make(name: str) -> Machine:
        return Machine(
            qemu=os.environ["VM_QEMU"].split(),
            kernel=Path(os.environ["VM_KERNEL"]),
            initramfs=Path(os.environ["VM_INITRAMFS"]),
            console=directory / f"{name}.log",
        )

    return make


@pytest.fixture(scope="session")
def machine(make_machine: Callable[[str], Machine]) -> Iterator[Machine]:
    """A machine that is up, one for all cases."""
    with make_machine("console") as machine:
        yield machine


@pytest.fixture(scope="session")
def kernel_release() -> str:
    """What `uname -r` prints in the machine."""
    return Path(os.environ["VM_KERNEL_RELEASE"]).read_text().strip()
