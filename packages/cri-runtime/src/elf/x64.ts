/** Registers by number, x86-64. */
export const Reg = { rax: 0, rcx: 1, rdx: 2, rbx: 3, rsp: 4, rbp: 5, rsi: 6, rdi: 7, r8: 8, r9: 9, r10: 10 } as const;
type Register = (typeof Reg)[keyof typeof Reg];

/** Just enough of an x86-64 assembler for programs that are a loop of system calls. */
export class X64 {
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #fixups: { at: number; label: string }[] = [];

  label(name: string): this {
    this.#labels.set(name, this.#bytes.length);
    return this;
  }

  /** mov r, imm32 (sign-extended). */
  set(r: Register, value: number): this {
    return this.#emit(0x48 | (r >> 3), 0xc7, 0xc0 | (r & 7), ...int32(value));
  }

  /** mov to, from (64 bits). */
  move(to: Register, from: Register): this {
    return this.#emit(0x48 | (to >> 3) | ((from >> 3) << 2), 0x89, 0xc0 | ((from & 7) << 3) | (to & 7));
  }

  /** mov qword [address], imm32 (sign-extended); 32-bit absolute address. */
  store(address: number, value: number): this {
    return this.#emit(0x48, 0xc7, 0x04, 0x25, ...int32(address), ...int32(value));
  }

  /** mov r32, dword [address]. */
  load32(r: Register, address: number): this {
    return this.#emit(0x40 | ((r >> 3) << 2), 0x8b, 0x04 | ((r & 7) << 3), 0x25, ...int32(address));
  }

  /** lea r, [rip + label]: the address of a label, code or data. */
  address(r: Register, label: string): this {
    return this.#branch([0x48 | ((r >> 3) << 2), 0x8d, 0x05 | ((r & 7) << 3)], label);
  }

  /** lea r, [rsp + offset]. */
  stackAddress(r: Register, offset: number): this {
    return this.#emit(0x48 | ((r >> 3) << 2), 0x8d, 0x44 | ((r & 7) << 3), 0x24, offset);
  }

  /** mov r, qword [rsp]. */
  loadStack(r: Register): this {
    return this.#emit(0x48 | ((r >> 3) << 2), 0x8b, 0x04 | ((r & 7) << 3), 0x24);
  }

  /** lea to, [base + index*8 + offset]; none of the registers above rdi. */
  scaledAddress(to: Register, base: Register, index: Register, offset: number): this {
    return this.#emit(0x48, 0x8d, 0x44 | (to << 3), 0xc0 | (index << 3) | base, offset);
  }

  /** Bytes among the code, by a label. */
  data(label: string, bytes: Uint8Array): this {
    return this.label(label).#emit(...bytes);
  }

  /** cmp byte [address], 0. */
  compareByteZero(address: number): this {
    return this.#emit(0x80, 0x3c, 0x25, ...int32(address), 0);
  }

  /** cmp eax, imm32. */
  compareResult(value: number): this {
    return this.#emit(0x3d, ...int32(value));
  }

  syscall(number: number): this {
    return this.set(Reg.rax, number).#emit(0x0f, 0x05);
  }

  jump(label: string): this {
    return this.#branch([0xe9], label);
  }

  jumpIfEqual(label: string): this {
    return this.#branch([0x0f, 0x84], label);
  }

  jumpIfGreater(label: string): this {
    return this.#branch([0x0f, 0x8f], label);
  }

  jumpIfLess(label: string): this {
    return this.#branch([0x0f, 0x8c], label);
  }

  build(): Uint8Array {
    const out = Buffer.from(this.#bytes);
    for (const { at, label } of this.#fixups) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`no label ${label}`);
      out.writeInt32LE(target - (at + 4), at);
    }
    return out;
  }

  #branch(opcode: number[], label: string): this {
    this.#emit(...opcode);
    this.#fixups.push({ at: this.#bytes.length, label });
    return this.#emit(0, 0, 0, 0);
  }

  #emit(...bytes: number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }
}

function int32(value: number): number[] {
  const out = Buffer.alloc(4);
  out.writeInt32LE(value | 0);
  return [...out];
}
