"""The BPF helper functions that generated programs call: number and first kernel (enum bpf_func_id of linux/bpf.h)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Helper:
    """`id` is the immediate of the call instruction; `least_kernel` is (major, minor)."""

    name: str
    id: int
    least_kernel: tuple[int, int]


HELPERS: Mapping[str, Helper] = {
    name: Helper(name, id_, least)
    for name, id_, least in (
        ("map_lookup_elem", 1, (3, 19)),
        ("map_update_elem", 2, (3, 19)),
        ("map_delete_elem", 3, (3, 19)),
        ("probe_read", 4, (4, 1)),
        ("ktime_get_ns", 5, (4, 1)),
        ("trace_printk", 6, (4, 1)),
        ("get_prandom_u32", 7, (4, 1)),
        ("get_smp_processor_id", 8, (4, 1)),
        ("get_current_pid_tgid", 14, (4, 2)),
        ("get_current_uid_gid", 15, (4, 2)),
        ("get_current_comm", 16, (4, 2)),
        ("perf_event_output", 25, (4, 4)),
        ("get_stackid", 27, (4, 6)),
        ("get_current_task", 35, (4, 8)),
        ("probe_write_user", 36, (4, 8)),
        ("probe_read_str", 45, (4, 11)),
        ("get_numa_node_id", 42, (4, 10)),
        ("get_socket_cookie", 46, (5, 12)),  # of a `struct sock *`; before, of what only other programs have
        ("override_return", 58, (4, 16)),
        ("get_stack", 67, (4, 18)),
        ("get_current_cgroup_id", 80, (4, 18)),
        ("send_signal", 109, (5, 3)),
        ("skb_output", 111, (5, 5)),
        ("probe_read_user", 112, (5, 5)),
        ("probe_read_kernel", 113, (5, 5)),
        ("probe_read_user_str", 114, (5, 5)),
        ("probe_read_kernel_str", 115, (5, 5)),
        ("send_signal_thread", 117, (5, 5)),
        ("jiffies64", 118, (5, 6)),
        ("get_ns_current_pid_tgid", 120, (5, 7)),
        ("ktime_get_boot_ns", 125, (5, 8)),
        ("seq_printf", 126, (5, 7)),
        ("ringbuf_output", 130, (5, 8)),
        ("ringbuf_reserve", 131, (5, 8)),
        ("ringbuf_submit", 132, (5, 8)),
        ("ringbuf_discard", 133, (5, 8)),
        ("get_task_stack", 141, (5, 9)),
        ("d_path", 147, (5, 10)),
        ("per_cpu_ptr", 153, (5, 10)),
        ("this_cpu_ptr", 154, (5, 10)),
        ("get_current_task_btf", 158, (5, 11)),
        ("ktime_get_coarse_ns", 160, (5, 11)),
        ("for_each_map_elem", 164, (5, 13)),
        ("get_func_ip", 173, (5, 15)),
        ("get_attach_cookie", 174, (5, 15)),
        ("task_pt_regs", 175, (5, 15)),
        ("find_vma", 180, (5, 17)),
        ("loop", 181, (5, 17)),
        ("strncmp", 182, (5, 17)),
        ("map_lookup_percpu_elem", 195, (5, 19)),
        ("ktime_get_tai_ns", 208, (6, 1)),
    )
}
