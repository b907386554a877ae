/* Registers of a probed function by their role, from the context that `ctx` gives. */
#ifndef __BPF_TRACING_H__
#define __BPF_TRACING_H__

#include <bpf/bpf_core_read.h>

#if defined(__TARGET_ARCH_x86)
#define PT_REGS_PARM1(x) ((x)->di)
#define PT_REGS_PARM2(x) ((x)->si)
#define PT_REGS_PARM3(x) ((x)->dx)
#define PT_REGS_PARM4(x) ((x)->cx)
#define PT_REGS_PARM5(x) ((x)->r8)
#define PT_REGS_PARM6(x) ((x)->r9)
#define PT_REGS_FP(x) ((x)->bp)
#define PT_REGS_RC(x) ((x)->ax)
#define PT_REGS_SP(x) ((x)->sp)
#define PT_REGS_IP(x) ((x)->ip)
#elif defined(__TARGET_ARCH_arm64)
/* What a program may read of arm64's struct pt_regs is its user part. */
#define __PT_REGS(x) ((const struct user_pt_regs *)(x))
#define PT_REGS_PARM1(x) (__PT_REGS(x)->regs[0])
#define PT_REGS_PARM2(x) (__PT_REGS(x)->regs[1])
#define PT_REGS_PARM3(x) (__PT_REGS(x)->regs[2])
#define PT_REGS_PARM4(x) (__PT_REGS(x)->regs[3])
#define PT_REGS_PARM5(x) (__PT_REGS(x)->regs[4])
#define PT_REGS_PARM6(x) (__PT_REGS(x)->regs[5])
#define PT_REGS_PARM7(x) (__PT_REGS(x)->regs[6])
#define PT_REGS_PARM8(x) (__PT_REGS(x)->regs[7])
#define PT_REGS_FP(x) (__PT_REGS(x)->regs[29])
#define PT_REGS_RC(x) (__PT_REGS(x)->regs[0])
#define PT_REGS_SP(x) (__PT_REGS(x)->sp)
#define PT_REGS_IP(x) (__PT_REGS(x)->pc)
#endif

#endif
