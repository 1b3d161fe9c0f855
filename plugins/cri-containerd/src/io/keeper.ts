import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostElfArch, KEEPER_PATH_OFFSET, KEEPER_RECORD_BYTES, keeperProgram, makeFifo } from '@coxswain/cri-runtime';
import { type ProcessIdentity, processIdentity, signalProcess } from '@coxswain/linux';
import { readIdentity } from '../containerd/daemon.js';

const FIRST_SLOT = 16;

/**
 * A process of a few kilobytes that holds containers' named pipes open, so that output written while our server is down stays
 * in the kernel's buffer even when the container ends meanwhile. It outlives us; a slot is a descriptor number in it.
 */
export class Keeper {
  readonly #slots = new Set<number>();

  private constructor(
    private readonly control: number,
    readonly process: ProcessIdentity,
    /** False: it was running already and still holds what it held. */
    readonly fresh: boolean,
  ) {}

  /** `programDir`: on a file system that allows to execute, as /run often does not. */
  static async start(stateDir: string, programDir: string): Promise<Keeper> {
    const dir = join(stateDir, 'keeper');
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const controlPath = join(dir, 'control');
    makeFifo(controlPath);
    const pidFile = join(dir, 'pid');
    const running = await readIdentity(pidFile);
    const control = openSync(controlPath, constants.O_RDWR);
    if (running) return new Keeper(control, running, false);
    await mkdir(programDir, { recursive: true, mode: 0o711 });
    const program = join(programDir, `keeper.${process.pid}`);
    await writeFile(program, keeperProgram(hostElfArch()), { mode: 0o700 });
    const child = spawn(program, [], { argv0: 'coxswain-fifo-keeper', detached: true, stdio: [control, 'ignore', 'ignore'], cwd: '/' });
    child.once('error', () => {});
    const identity = child.pid === undefined ? undefined : processIdentity(child.pid);
    if (!identity) {
      closeSync(control);
      throw new Error('the fifo keeper did not start');
    }
    child.unref();
    await rm(program, { force: true });
    await writeFile(pidFile, JSON.stringify(identity), { mode: 0o600 });
    return new Keeper(control, identity, true);
  }

  /** Hold a pipe; returns its slot. `slot`: hold it again in a new keeper. */
  hold(path: string, slot = this.#free()): number {
    if (KEEPER_PATH_OFFSET + Buffer.byteLength(path) + 1 > KEEPER_RECORD_BYTES) throw new Error(`path is too long for the fifo keeper: ${path}`);
    this.#slots.add(slot);
    this.#send(slot, path);
    return slot;
  }

  /** Remember a slot that a running keeper holds. */
  claim(slot: number): void {
    this.#slots.add(slot);
  }

  release(slot: number): void {
    if (this.#slots.delete(slot)) this.#send(slot, '');
  }

  /** Let go of the control pipe; the keeper stays. */
  close(): void {
    closeSync(this.control);
  }

  /** End the keeper, when the node is taken down. */
  stop(): void {
    signalProcess(this.process, 'SIGKILL');
    this.close();
  }

  #free(): number {
    let slot = FIRST_SLOT;
    while (this.#slots.has(slot)) slot++;
    return slot;
  }

  #send(slot: number, path: string): void {
    const record = Buffer.alloc(KEEPER_RECORD_BYTES);
    record.writeUInt32LE(slot);
    record.write(path, KEEPER_PATH_OFFSET);
    writeSync(this.control, record);
  }
}
