import { Arm64 } from './arm64.js';
import { BSS_ADDRESS, type ElfArch, elfExecutable } from './elf.js';
import { Reg, X64 } from './x64.js';

const BSS = Number(BSS_ADDRESS);
const SIGINT = 2;
const SIGTERM = 15;
const SIGCHLD = 17;
const WNOHANG = 1;
const O_RDWR_NONBLOCK = 0o4002;

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

/** This machine's architecture; throws where we have no programs for it. */
export function hostElfArch(arch: string = process.arch): ElfArch {
  if (arch === 'x64' || arch === 'arm64') return arch;
  throw new Error(`no pause program for ${arch}: only x86-64 and AArch64 are supported`);
}
