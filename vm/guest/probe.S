# SPDX-License-Identifier: GPL-2.0-or-later
# The guest that proves that an x86 accelerator works: the last 256 bytes of a 64 KiB firmware.
# It enters protected mode and runs six million instructions; with BMI2 among them, when the
# processor claims to have it: a KVM that merely emulates stops at those, or takes seconds.
# The bytes in accel.py are this file, assembled (ci/tests/vm/test_accel.py compares them):
#   as --32 -o probe.o probe.S && objcopy -O binary probe.o probe.bin

	.set	base, 0xffffff00
	.code16
start:	cli
	lgdtl	%cs:0xff00 + (gdtr - start)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$8, $base + (protected - start)

	.code32
protected:
	mov	$7, %eax
	xor	%ecx, %ecx
	cpuid
	mov	$2000000, %ecx
	bt	$8, %ebx			# CPUID.7.0:EBX.BMI2
	jc	vex
plain:	lea	1(%edx, %ecx), %edx
	dec	%ecx
	jnz	plain
	jmp	done
vex:	shlx	%ecx, %edx, %edx
	dec	%ecx
	jnz	vex
done:	mov	$0x2a, %al			# isa-debug-exit: status (0x2a << 1) | 1
	out	%al, $0xf4
halt:	hlt
	jmp	halt

	.balign	8
gdt:	.quad	0, 0x00cf9b000000ffff		# flat code segment
gdtr:	.word	gdtr - gdt - 1
	.long	base + (gdt - start)

	.org	0xf0, 0xf4
	.code16
reset:	jmp	start
	.org	0x100, 0xf4
