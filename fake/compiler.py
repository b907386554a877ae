import argparse, subprocess, time
t=time.time()
import llvmlite.binding
import elftools.elf.elffile, google.protobuf.message
p=argparse.ArgumentParser(); p.add_argument("src"); p.add_argument("--snapshot"); p.add_argument("--arch"); p.add_argument("-o")
a=p.parse_args()
s=open(a.src).read(); open(a.snapshot)
asm='.section .bpftrace,"a"\n.globl bpftrace_payload,bpftrace_payload_end\nbpftrace_payload:\n.asciz %s\nbpftrace_payload_end:\n.section .note.GNU-stack,"",@progbits\n' % ('"'+s.strip().replace('"','\\"')+'"')
subprocess.run(["as","-o",a.o,"-"],input=asm.encode(),check=True)
print("import+all", time.time()-t)
