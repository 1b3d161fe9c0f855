import { Arm64 } from './arm64.js';
import { BSS_ADDRESS, type ElfArch, elfExecutable } from './elf.js';
import { Reg, X64 } from './x64.js';

const BSS = Number(BSS_ADDRESS);
const SIGINT = 2;
const SIGTERM = 15;
const SIGCHLD = 17;
const WNOHANG = 1;
const O_RDWR_NONBLOCK = 0o4002;
const CLONE_NEWNS = 0x20000;
const MS_PRIVATE = 0x40000;
const MNT_DETACH = 2;

/** Bytes of one record on the keeper's input; see `io/keeper.ts`. A power of two below PIPE_BUF, so records never mix. */
export const KEEPER_RECORD_BYTES = 512;
/** In a record: the descriptor number (uint32) comes first, then the path, NUL-terminated; an empty path closes. */
export const KEEPER_PATH_OFFSET = 4;

/**
 * The pause program: first process of a pod's PID namespace. Blocks every signal, then waits for them one by one:
 * reaps all that are reparented to it, exits on SIGTERM and SIGINT. (A blocked signal reaches even the namespace's init.)
 */
export function pauseProgram(arch: ElfArch): Uint8Array {
  if (arch === 'x64') {
    const a = new X64()
      .store(BSS, -1) // the set of all signals
      .set(Reg.rdi, 0)
      .set(Reg.rsi, BSS)
      .set(Reg.rdx, 0)
      .set(Reg.r10, 8)
      .syscall(14) // rt_sigprocmask(SIG_BLOCK, all)
      .label('wait')
      .set(Reg.rdi, BSS)
      .set(Reg.rsi, 0)
      .set(Reg.rdx, 0)
      .set(Reg.r10, 8)
      .syscall(128) // rt_sigtimedwait(all)
      .compareResult(SIGCHLD)
      .jumpIfEqual('reap')
      .compareResult(SIGTERM)
      .jumpIfEqual('exit')
      .compareResult(SIGINT)
      .jumpIfEqual('exit')
      .jump('wait')
      .label('reap')
      .set(Reg.rdi, -1)
      .set(Reg.rsi, 0)
      .set(Reg.rdx, WNOHANG)
      .set(Reg.r10, 0)
      .syscall(61) // wait4(-1, NULL, WNOHANG)
      .compareResult(0)
      .jumpIfGreater('reap')
      .jump('wait')
      .label('exit')
      .set(Reg.rdi, 0)
      .syscall(60);
    return elfExecutable(arch, a.build(), 8);
  }
  const a = new Arm64()
    .set(9, BSS)
    .set(10, -1)
    .store(10, 9)
    .set(0, 0)
    .move(1, 9)
    .set(2, 0)
    .set(3, 8)
    .syscall(135)
    .label('wait')
    .move(0, 9)
    .set(1, 0)
    .set(2, 0)
    .set(3, 8)
    .syscall(137)
    .compare(0, SIGCHLD)
    .jumpIf('eq', 'reap')
    .compare(0, SIGTERM)
    .jumpIf('eq', 'exit')
    .compare(0, SIGINT)
    .jumpIf('eq', 'exit')
    .jump('wait')
    .label('reap')
    .set(0, -1)
    .set(1, 0)
    .set(2, WNOHANG)
    .set(3, 0)
    .syscall(260)
    .compare(0, 0)
    .jumpIf('gt', 'reap')
    .jump('wait')
    .label('exit')
    .set(0, 0)
    .syscall(93);
  return elfExecutable(arch, a.build(), 8);
}

/**
 * The keeper: holds named pipes open while our server is down, so that what containers wrote stays in them.
 * Reads records from standard input for ever: opens a path as a given descriptor, or closes one.
 */
export function keeperProgram(arch: ElfArch): Uint8Array {
  const path = BSS + KEEPER_PATH_OFFSET;
  if (arch === 'x64') {
    const a = new X64()
      .label('next')
      .set(Reg.rdi, 0)
      .set(Reg.rsi, BSS)
      .set(Reg.rdx, KEEPER_RECORD_BYTES)
      .syscall(0) // read
      .compareResult(0)
      .jumpIfEqual('exit')
      .compareResult(KEEPER_RECORD_BYTES)
      .jumpIfLess('next') // EINTR
      .compareByteZero(path)
      .jumpIfEqual('close')
      .set(Reg.rdi, path)
      .set(Reg.rsi, O_RDWR_NONBLOCK)
      .set(Reg.rdx, 0)
      .syscall(2) // open
      .compareResult(0)
      .jumpIfLess('next')
      .move(Reg.rbx, Reg.rax)
      .move(Reg.rdi, Reg.rax)
      .load32(Reg.rsi, BSS)
      .syscall(33) // dup2
      .move(Reg.rdi, Reg.rbx)
      .syscall(3)
      .jump('next')
      .label('close')
      .load32(Reg.rdi, BSS)
      .syscall(3)
      .jump('next')
      .label('exit')
      .set(Reg.rdi, 0)
      .syscall(60);
    return elfExecutable(arch, a.build(), KEEPER_RECORD_BYTES);
  }
  const a = new Arm64()
    .set(9, BSS)
    .set(11, path)
    .label('next')
    .set(0, 0)
    .move(1, 9)
    .set(2, KEEPER_RECORD_BYTES)
    .syscall(63)
    .compare(0, 0)
    .jumpIf('eq', 'exit')
    .compare(0, KEEPER_RECORD_BYTES)
    .jumpIf('lt', 'next')
    .load8(10, 9, KEEPER_PATH_OFFSET)
    .compare(10, 0)
    .jumpIf('eq', 'close')
    .set(0, -100)
    .move(1, 11)
    .set(2, O_RDWR_NONBLOCK)
    .set(3, 0)
    .syscall(56) // openat(AT_FDCWD)
    .compare(0, 0)
    .jumpIf('lt', 'next')
    .move(19, 0)
    .load32(1, 9)
    .set(2, 0)
    .syscall(24) // dup3
    .move(0, 19)
    .syscall(57)
    .jump('next')
    .label('close')
    .load32(0, 9)
    .syscall(57)
    .jump('next')
    .label('exit')
    .set(0, 0)
    .syscall(93);
  return elfExecutable(arch, a.build(), KEEPER_RECORD_BYTES);
}

/** What a program is to run without: a mount, taken away for it alone. */
export interface WithoutMount {
  readonly program: string;
  readonly mountPoint: string;
  /** The mount that holds `mountPoint`'s folder: it becomes private, or the mount would go for all. */
  readonly parent: string;
}

/**
 * A launcher: in a mount namespace of its own it takes a mount away and becomes `program`, with the arguments and environment it got.
 * Mounts elsewhere go on propagating. What the kernel refuses is left to `program` to complain about; 127 when there is no such program.
 */
export function withoutMountProgram(arch: ElfArch, { program, mountPoint, parent }: WithoutMount): Uint8Array {
  const text = (value: string) => Buffer.from(`${value}\0`);
  if (arch === 'x64') {
    const a = new X64()
      .set(Reg.rdi, CLONE_NEWNS)
      .syscall(272) // unshare
      .set(Reg.rdi, 0)
      .address(Reg.rsi, 'parent')
      .set(Reg.rdx, 0)
      .set(Reg.r10, MS_PRIVATE)
      .set(Reg.r8, 0)
      .syscall(165) // mount
      .address(Reg.rdi, 'mount point')
      .set(Reg.rsi, MNT_DETACH)
      .syscall(166) // umount2
      .address(Reg.rdi, 'program')
      .stackAddress(Reg.rsi, 8)
      .loadStack(Reg.rdx)
      .scaledAddress(Reg.rdx, Reg.rsi, Reg.rdx, 8)
      .syscall(59) // execve(program, argv, envp)
      .set(Reg.rdi, 127)
      .syscall(60)
      .data('parent', text(parent))
      .data('mount point', text(mountPoint))
      .data('program', text(program));
    return elfExecutable(arch, a.build());
  }
  const a = new Arm64()
    .set(0, CLONE_NEWNS)
    .syscall(97)
    .set(0, 0)
    .address(1, 'parent')
    .set(2, 0)
    .set(3, MS_PRIVATE)
    .set(4, 0)
    .syscall(40)
    .address(0, 'mount point')
    .set(1, MNT_DETACH)
    .syscall(39)
    .address(0, 'program')
    .stackAddress(1, 8)
    .loadStack(2)
    .scaledAddress(2, 1, 2, 8)
    .syscall(221)
    .set(0, 127)
    .syscall(93)
    .data('parent', text(parent))
    .data('mount point', text(mountPoint))
    .data('program', text(program));
  return elfExecutable(arch, a.build());
}

/** This machine's architecture; throws where we have no programs for it. */
export function hostElfArch(arch: string = process.arch): ElfArch {
  if (arch === 'x64' || arch === 'arm64') return arch;
  throw new Error(`no pause program for ${arch}: only x86-64 and AArch64 are supported`);
}
