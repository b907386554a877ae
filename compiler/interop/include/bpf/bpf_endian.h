/* Byte order: BPF code has that of the host, x86-64 and arm64 are little-endian. */
#ifndef __BPF_ENDIAN__
#define __BPF_ENDIAN__

#define bpf_htons(x) ((unsigned short)__builtin_bswap16((unsigned short)(x)))
#define bpf_ntohs(x) bpf_htons(x)
#define bpf_htonl(x) __builtin_bswap32((unsigned int)(x))
#define bpf_ntohl(x) bpf_htonl(x)
#define bpf_cpu_to_be64(x) __builtin_bswap64((unsigned long long)(x))
#define bpf_be64_to_cpu(x) bpf_cpu_to_be64(x)

#endif
