/* Everything of linux/bpf.h that has a type is in the kernel's BTF. */
#include <vmlinux.h>
