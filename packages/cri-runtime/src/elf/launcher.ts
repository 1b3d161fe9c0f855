import { Arm64 } from './arm64.js';
import { type ElfArch, elfExecutable } from './elf.js';
import { Reg, X64 } from './x64.js';

const CLONE_NEWNS = 0x20000;
const MS_PRIVATE = 0x40000;
const MNT_DETACH = 2;
const O_CLOEXEC = 0x80000;
const MFD_CLOEXEC_ALLOW_SEALING = 3;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE. */
const ALL_SEALS = 15;
const AT_EMPTY_PATH = 0x1000;
const AT_FDCWD = -100;
/** As much as one sendfile(2) may copy; a program is smaller. */
const COPY_BYTES = 0x7fff0000;

export interface LauncherOptions {
  /** What to run: an absolute path. */
  readonly program: string;
  /** A mount that is taken away for the program alone. */
  readonly without?: {
    readonly mountPoint: string;
    /** The mount that holds `mountPoint`'s folder: it becomes private, or the mount would go for all. */
    readonly parent: string;
  };
}

/**
 * A launcher: becomes `program`, with the arguments and environment it got, out of a sealed copy of it in memory (memfd_create(2)).
 * OCI runtimes make sure that a container cannot write to the runtime that made it: one that finds itself sealed has nothing to do, another
 * mounts or copies itself and is executed again. With `without`, the program is in a mount namespace of its own, where that mount is not;
 * mounts elsewhere go on propagating. Where the kernel refuses a copy, the file itself is run; what else it refuses is left to `program` to
 * complain about. 127 when there is no such program.
 */
export function launcherProgram(arch: ElfArch, options: LauncherOptions): Uint8Array {
  return elfExecutable(arch, arch === 'x64' ? x64(options) : arm64(options));
}

const text = (value: string) => Buffer.from(`${value}\0`);

function x64({ program, without }: LauncherOptions): Uint8Array {
  const a = new X64();
  if (without) {
    a.set(Reg.rdi, CLONE_NEWNS)
      .syscall(272) // unshare
      .set(Reg.rdi, 0)
      .address(Reg.rsi, 'parent')
      .set(Reg.rdx, 0)
      .set(Reg.r10, MS_PRIVATE)
      .set(Reg.r8, 0)
      .syscall(165) // mount
      .address(Reg.rdi, 'mount point')
      .set(Reg.rsi, MNT_DETACH)
      .syscall(166); // umount2
  }
  a.address(Reg.rdi, 'program')
    .set(Reg.rsi, O_CLOEXEC)
    .set(Reg.rdx, 0)
    .syscall(2) // open
    .compareResult(0)
    .jumpIfLess('file')
    .move(Reg.rbx, Reg.rax)
    .address(Reg.rdi, 'program')
    .set(Reg.rsi, MFD_CLOEXEC_ALLOW_SEALING)
    .syscall(319) // memfd_create
    .compareResult(0)
    .jumpIfLess('file')
    .move(Reg.rbp, Reg.rax)
    .label('copy')
    .move(Reg.rdi, Reg.rbp)
    .move(Reg.rsi, Reg.rbx)
    .set(Reg.rdx, 0)
    .set(Reg.r10, COPY_BYTES)
    .syscall(40) // sendfile
    .compareResult(0)
    .jumpIfGreater('copy')
    .jumpIfLess('file')
    .move(Reg.rdi, Reg.rbp)
    .set(Reg.rsi, F_ADD_SEALS)
    .set(Reg.rdx, ALL_SEALS)
    .syscall(72) // fcntl
    .move(Reg.rdi, Reg.rbp)
    .address(Reg.rsi, 'nothing')
    .stackAddress(Reg.rdx, 8)
    .loadStack(Reg.rax)
    .scaledAddress(Reg.rax, Reg.rdx, Reg.rax, 8)
    .move(Reg.r10, Reg.rax)
    .set(Reg.r8, AT_EMPTY_PATH)
    .syscall(322) // execveat(copy, "", argv, envp)
    .label('file')
    .address(Reg.rdi, 'program')
    .stackAddress(Reg.rsi, 8)
    .loadStack(Reg.rdx)
    .scaledAddress(Reg.rdx, Reg.rsi, Reg.rdx, 8)
    .syscall(59) // execve(program, argv, envp)
    .set(Reg.rdi, 127)
    .syscall(60)
    .data('program', text(program))
    .data('nothing', text(''));
  if (without) a.data('parent', text(without.parent)).data('mount point', text(without.mountPoint));
  return a.build();
}

function arm64({ program, without }: LauncherOptions): Uint8Array {
  const a = new Arm64();
  if (without) {
    a.set(0, CLONE_NEWNS)
      .syscall(97)
      .set(0, 0)
      .address(1, 'parent')
      .set(2, 0)
      .set(3, MS_PRIVATE)
      .set(4, 0)
      .syscall(40)
      .address(0, 'mount point')
      .set(1, MNT_DETACH)
      .syscall(39);
  }
  a.set(0, AT_FDCWD)
    .address(1, 'program')
    .set(2, O_CLOEXEC)
    .set(3, 0)
    .syscall(56) // openat
    .compare(0, 0)
    .jumpIf('lt', 'file')
    .move(19, 0)
    .address(0, 'program')
    .set(1, MFD_CLOEXEC_ALLOW_SEALING)
    .syscall(279)
    .compare(0, 0)
    .jumpIf('lt', 'file')
    .move(20, 0)
    .label('copy')
    .move(0, 20)
    .move(1, 19)
    .set(2, 0)
    .set(3, COPY_BYTES)
    .syscall(71)
    .compare(0, 0)
    .jumpIf('gt', 'copy')
    .jumpIf('lt', 'file')
    .move(0, 20)
    .set(1, F_ADD_SEALS)
    .set(2, ALL_SEALS)
    .syscall(25)
    .move(0, 20)
    .address(1, 'nothing')
    .stackAddress(2, 8)
    .loadStack(3)
    .scaledAddress(3, 2, 3, 8)
    .set(4, AT_EMPTY_PATH)
    .syscall(281)
    .label('file')
    .address(0, 'program')
    .stackAddress(1, 8)
    .loadStack(2)
    .scaledAddress(2, 1, 2, 8)
    .syscall(221)
    .set(0, 127)
    .syscall(93)
    .data('program', text(program))
    .data('nothing', text(''));
  if (without) a.data('parent', text(without.parent)).data('mount point', text(without.mountPoint));
  return a.build();
}
