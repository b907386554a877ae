	.file	"rust_calls.97ba9e542c250be9-cgu.0"
	.section	.text._RINvCsd1EhNyXOPPx_10rust_calls7measureINtNtB2_6shapes6SquarexEEB2_,"ax",@progbits
	.p2align	4
	.type	_RINvCsd1EhNyXOPPx_10rust_calls7measureINtNtB2_6shapes6SquarexEEB2_,@function
_RINvCsd1EhNyXOPPx_10rust_calls7measureINtNtB2_6shapes6SquarexEEB2_:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	movl	$.Lanon.7420428f52d2201400c6195ef0568df8.0, %edi
	movl	$3, %esi
	callq	_RNvXNtCsd1EhNyXOPPx_10rust_calls6shapesINtB2_6SquarexENtB2_5Shape4area
	incq	%rax
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	retq
.Lfunc_end0:
	.size	_RINvCsd1EhNyXOPPx_10rust_calls7measureINtNtB2_6shapes6SquarexEEB2_, .Lfunc_end0-_RINvCsd1EhNyXOPPx_10rust_calls7measureINtNtB2_6shapes6SquarexEEB2_
	.cfi_endproc

	.section	.text._RNvCsd1EhNyXOPPx_10rust_calls7getppid,"ax",@progbits
	.p2align	4
	.type	_RNvCsd1EhNyXOPPx_10rust_calls7getppid,@function
_RNvCsd1EhNyXOPPx_10rust_calls7getppid:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	movl	$110, %eax
	#APP

	syscall

	#NO_APP
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	retq
.Lfunc_end1:
	.size	_RNvCsd1EhNyXOPPx_10rust_calls7getppid, .Lfunc_end1-_RNvCsd1EhNyXOPPx_10rust_calls7getppid
	.cfi_endproc

	.section	.text._RNvXNtCsd1EhNyXOPPx_10rust_calls6shapesINtB2_6SquarexENtB2_5Shape4area,"ax",@progbits
	.globl	_RNvXNtCsd1EhNyXOPPx_10rust_calls6shapesINtB2_6SquarexENtB2_5Shape4area
	.p2align	4
	.type	_RNvXNtCsd1EhNyXOPPx_10rust_calls6shapesINtB2_6SquarexENtB2_5Shape4area,@function
_RNvXNtCsd1EhNyXOPPx_10rust_calls6shapesINtB2_6SquarexENtB2_5Shape4area:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	pushq	%r14
	pushq	%rbx
	.cfi_offset %rbx, -32
	.cfi_offset %r14, -24
	movq	%rsi, %rbx
	movq	%rdi, %r14
	callq	_RNvCsd1EhNyXOPPx_10rust_calls7getppid
	imulq	(%r14), %rbx
	addq	%rbx, %rax
	popq	%rbx
	popq	%r14
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	retq
.Lfunc_end2:
	.size	_RNvXNtCsd1EhNyXOPPx_10rust_calls6shapesINtB2_6SquarexENtB2_5Shape4area, .Lfunc_end2-_RNvXNtCsd1EhNyXOPPx_10rust_calls6shapesINtB2_6SquarexENtB2_5Shape4area
	.cfi_endproc

	.section	.text.main,"ax",@progbits
	.globl	main
	.p2align	4
	.type	main,@function
main:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	pushq	%rbx
	pushq	%rax
	.cfi_offset %rbx, -24
	callq	_RINvCsd1EhNyXOPPx_10rust_calls7measureINtNtB2_6shapes6SquarexEEB2_
	movq	%rax, %rbx
	movl	$3, %edi
	callq	sleep
	shrq	$63, %rbx
	movl	%ebx, %eax
	addq	$8, %rsp
	popq	%rbx
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	retq
.Lfunc_end3:
	.size	main, .Lfunc_end3-main
	.cfi_endproc

	.type	.Lanon.7420428f52d2201400c6195ef0568df8.0,@object
	.section	.rodata.cst8,"aM",@progbits,8
	.p2align	3, 0x0
.Lanon.7420428f52d2201400c6195ef0568df8.0:
	.asciz	"\001\000\000\000\000\000\000"
	.size	.Lanon.7420428f52d2201400c6195ef0568df8.0, 8

	.ident	"rustc version 1.95.0 (59807616e 2026-04-14)"
	.section	".note.GNU-stack","",@progbits
