/*
 * The floor of what a tracer can cost: raw bpf(2), one ring buffer, one program that sends one event, one line printed.
 * Nothing is decoded, chosen, checked for or named; a real tracer comes as near to this as it can.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From the kernel's linux/bpf.h, which a musl installation need not have. */
enum { BPF_MAP_CREATE = 0, BPF_PROG_LOAD = 5, BPF_PROG_TEST_RUN = 10 };
enum { BPF_MAP_TYPE_RINGBUF = 27, BPF_PROG_TYPE_RAW_TRACEPOINT = 17, BPF_PSEUDO_MAP_FD = 1 };
enum { BPF_FUNC_ringbuf_reserve = 131, BPF_FUNC_ringbuf_submit = 132 };
enum { LD_IMM64 = 0x18, STX_DW = 0x7b, MOV64_IMM = 0xb7, MOV64_REG = 0xbf, JEQ_IMM = 0x15, CALL = 0x85, EXIT = 0x95 };

struct instruction {
	uint8_t code;
	uint8_t registers; /* destination in the low half, source in the high one */
	int16_t offset;
	int32_t immediate;
};

enum { RING_SIZE = 64 << 10, PAGE = 4096, EVENT_SIZE = 16, RECORD_HEADER = 8 };

static const char event[EVENT_SIZE] = "Hello, world!\n";

static long bpf(int command, void *attr, size_t size)
{
	return syscall(SYS_bpf, command, attr, size);
}

static long ring_create(void)
{
	struct {
		uint32_t type, key_size, value_size, max_entries;
	} attr = {.type = BPF_MAP_TYPE_RINGBUF, .max_entries = RING_SIZE};

	return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static long program_load(long ring)
{
	uint32_t word[4];
	struct instruction program[] = {
		{LD_IMM64, 1 | BPF_PSEUDO_MAP_FD << 4, 0, (int32_t)ring},
		{0},
		{MOV64_IMM, 2, 0, EVENT_SIZE},
		{MOV64_IMM, 3, 0, 0},
		{CALL, 0, 0, BPF_FUNC_ringbuf_reserve},
		{JEQ_IMM, 0, 9, 0},
		{LD_IMM64, 1, 0, 0},
		{0},
		{STX_DW, 0 | 1 << 4, 0, 0},
		{LD_IMM64, 1, 0, 0},
		{0},
		{STX_DW, 0 | 1 << 4, 8, 0},
		{MOV64_REG, 1 | 0 << 4, 0, 0},
		{MOV64_IMM, 2, 0, 0},
		{CALL, 0, 0, BPF_FUNC_ringbuf_submit},
		{MOV64_IMM, 0, 0, 0},
		{EXIT, 0, 0, 0},
	};
	struct {
		uint32_t type, count;
		uint64_t instructions, license;
	} attr = {
		.type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.count = sizeof(program) / sizeof(program[0]),
		.instructions = (uintptr_t)program,
		.license = (uintptr_t) "GPL",
	};

	/* the two halves of the event as 64-bit immediates, each in the two slots of its LD_IMM64 */
	memcpy(word, event, sizeof(word));
	program[6].immediate = (int32_t)word[0];
	program[7].immediate = (int32_t)word[1];
	program[9].immediate = (int32_t)word[2];
	program[10].immediate = (int32_t)word[3];
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static long program_run(long program)
{
	/* the part of union bpf_attr that is called test, up to its field cpu */
	struct {
		uint32_t program, retval, data_size_in, data_size_out;
		uint64_t data_in, data_out;
		uint32_t repeat, duration, ctx_size_in, ctx_size_out;
		uint64_t ctx_in, ctx_out;
		uint32_t flags, cpu;
	} attr = {.program = (uint32_t)program};

	return bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
}

static long ring_print(long ring)
{
	unsigned long *consumer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)ring, 0);
	char *producer = mmap(NULL, PAGE + 2 * RING_SIZE, PROT_READ, MAP_SHARED, (int)ring, PAGE);

	if (consumer == MAP_FAILED || producer == MAP_FAILED)
		return -1;
	if (__atomic_load_n((unsigned long *)producer, __ATOMIC_ACQUIRE) != RECORD_HEADER + EVENT_SIZE)
		return -1;
	__atomic_store_n(consumer, RECORD_HEADER + EVENT_SIZE, __ATOMIC_RELEASE);
	return write(STDOUT_FILENO, producer + PAGE + RECORD_HEADER, strlen(event)) < 0 ? -1 : 0;
}

int main(void)
{
	long ring = ring_create();
	long program = ring < 0 ? -1 : program_load(ring);

	if (program < 0 || program_run(program) < 0 || ring_print(ring) < 0) {
		perror("floor");
		return 1;
	}
	return 0;
}
