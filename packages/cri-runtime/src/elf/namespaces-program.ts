import { Arm64 } from './arm64.js';
import { BSS_ADDRESS, type ElfArch, elfExecutable } from './elf.js';
import { Reg, X64 } from './x64.js';

const BSS = Number(BSS_ADDRESS);

/**
 * Enters new namespaces and stays until it is let go. Reads from standard input which (CLONE_NEW* flags, uint32), answers with a byte, and
 * ends with its input. What the kernel refuses is its exit code, as 256 minus the error's number.
 */
export function namespacesProgram(arch: ElfArch): Uint8Array {
  if (arch === 'x64') {
    const io = (a: X64, call: 0 | 1, size: number) => a.set(Reg.rdi, call).set(Reg.rsi, BSS).set(Reg.rdx, size).syscall(call);
    const a = io(new X64(), 0, 4).load32(Reg.rdi, BSS).syscall(272).compareResult(0).jumpIfLess('refused'); // unshare
    io(a, 1, 1);
    io(a, 0, 1).set(Reg.rdi, 0).syscall(60).label('refused').move(Reg.rdi, Reg.rax).syscall(60);
    return elfExecutable(arch, a.build(), 8);
  }
  const io = (a: Arm64, call: 63 | 64, size: number) =>
    a
      .set(0, call - 63)
      .set(1, BSS)
      .set(2, size)
      .syscall(call);
  const a = io(new Arm64(), 63, 4).set(9, BSS).load32(0, 9).syscall(97).compare(0, 0).jumpIf('lt', 'refused');
  io(a, 64, 1);
  io(a, 63, 1).set(0, 0).label('refused').syscall(93);
  return elfExecutable(arch, a.build(), 8);
}
