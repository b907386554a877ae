/* Registers of a probed function by their role, from the context that `ctx` gives. */
#ifndef __BPF_TRACING_H__
#define __BPF_TRACING_H__

#include <bpf/bpf_core_read.h>

/*
 * Registers are part of the kernel's ABI (asm/ptrace.h), so they have structures of their own here: the verifier allows
 * no access to the context at an offset that is relocated, as those of vmlinux.h's are.
 */
#if __has_attribute(preserve_static_offset)
#define __BPF_REGISTERS __attribute__((preserve_static_offset))
#else
#define __BPF_REGISTERS
#endif

#if defined(__TARGET_ARCH_x86)
struct __bpf_registers {
  unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
} __BPF_REGISTERS;
#define __BPF_REGS(x) ((const struct __bpf_registers *)(x))
#define PT_REGS_PARM1(x) (__BPF_REGS(x)->di)
#define PT_REGS_PARM2(x) (__BPF_REGS(x)->si)
#define PT_REGS_PARM3(x) (__BPF_REGS(x)->dx)
#define PT_REGS_PARM4(x) (__BPF_REGS(x)->cx)
#define PT_REGS_PARM5(x) (__BPF_REGS(x)->r8)
#define PT_REGS_PARM6(x) (__BPF_REGS(x)->r9)
#define PT_REGS_FP(x) (__BPF_REGS(x)->bp)
#define PT_REGS_RC(x) (__BPF_REGS(x)->ax)
#define PT_REGS_SP(x) (__BPF_REGS(x)->sp)
#define PT_REGS_IP(x) (__BPF_REGS(x)->ip)
#elif defined(__TARGET_ARCH_arm64)
struct __bpf_registers {
  unsigned long regs[31], sp, pc, pstate;
} __BPF_REGISTERS;
#define __BPF_REGS(x) ((const struct __bpf_registers *)(x))
#define PT_REGS_PARM1(x) (__BPF_REGS(x)->regs[0])
#define PT_REGS_PARM2(x) (__BPF_REGS(x)->regs[1])
#define PT_REGS_PARM3(x) (__BPF_REGS(x)->regs[2])
#define PT_REGS_PARM4(x) (__BPF_REGS(x)->regs[3])
#define PT_REGS_PARM5(x) (__BPF_REGS(x)->regs[4])
#define PT_REGS_PARM6(x) (__BPF_REGS(x)->regs[5])
#define PT_REGS_PARM7(x) (__BPF_REGS(x)->regs[6])
#define PT_REGS_PARM8(x) (__BPF_REGS(x)->regs[7])
#define PT_REGS_FP(x) (__BPF_REGS(x)->regs[29])
#define PT_REGS_RC(x) (__BPF_REGS(x)->regs[0])
#define PT_REGS_SP(x) (__BPF_REGS(x)->sp)
#define PT_REGS_IP(x) (__BPF_REGS(x)->pc)
#endif

#endif
