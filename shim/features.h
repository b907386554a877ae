// Only what a script needs is linked.
//
// A feature of the shim is a global symbol, defined in an archive member of its own. The core refers to features by *weak*
// symbols (#pragma weak), which do not pull members out of the static archive: an unlinked feature's address is NULL. The compiler
// (compiler/object) writes one undefined global symbol into the tracer object for each feature that the payload uses:
//
//     for every probe      shim_attach_<field of Probe.attach>       such as shim_attach_kprobe
//     for every constant   shim_constant_<field of Constant.kind>    such as shim_constant_core
//     for every action     shim_action_<field of Action.kind>        such as shim_action_printf
//     for every type       shim_print_<kind of Type, lower case>     of inet, mac_address, ksym, usym, username, timestamp,
//                                                                    cgroup_path, kstack, ustack, parameter, hist, lhist, tseries
//     for user stacks      shim_print_ustack_names                   in the modes BPFTRACE and PERF; and for these and usym
//                          shim_demangle                             if config.cpp_demangle, and for uprobes by demangled names
//                          shim_source_lines                         (stacks only) if config.show_debug_info
//                          shim_mappings_open                        what processes map, for when they have ended
//     for maps that print  shim_print_map                            a map of role USER with config.print_maps_on_exit,
//                                                                    or an action print_map
//     for test, bench      shim_run_tests, shim_filter_targets       probes of these types
//     for dw_ustack        shim_unwind_open, shim_unwind_run_to_entry  a map of role UNWIND_PROCESSES
//     for build ids        shim_check_build                          probes with a build_id
//     for ZIP archives     shim_zip_find                             uprobes and usdt whose path has "!/", or may have
//     for --probe-filter   shim_filter_targets                       a config.probe_filter
//
// The names follow the message, so neither side holds a table of the other's features. Link with --gc-sections, not with
// --whole-archive (in Bazel: no alwayslink). If a feature of the payload is missing all the same, payload.c refuses it by name.
#ifndef SHIM_FEATURES_H
#define SHIM_FEATURES_H

// For a declaration that stands where the feature is used. One from a header takes `#pragma weak NAME` instead.
#define SHIM_FEATURE __attribute__((weak))

#endif
