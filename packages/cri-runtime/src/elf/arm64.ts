/** Just enough of an AArch64 assembler for programs that are a loop of system calls. Registers are x0…x30 by number. */
export class Arm64 {
  readonly #words: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #fixups: { at: number; label: string; kind: 'b' | 'conditional' | 'adr' }[] = [];

  label(name: string): this {
    this.#labels.set(name, this.#words.length);
    return this;
  }

  /** movz/movk of a 32-bit value, or movn for small negative ones. */
  set(r: number, value: number): this {
    if (value < 0) {
      if (value < -65536) throw new RangeError('constant out of range');
      return this.#emit(0x92800000 | ((~value & 0xffff) << 5) | r);
    }
    this.#emit(0xd2800000 | ((value & 0xffff) << 5) | r);
    const high = (value >>> 16) & 0xffff;
    return high === 0 ? this : this.#emit(0xf2a00000 | (high << 5) | r);
  }

  /** mov to, from. */
  move(to: number, from: number): this {
    return this.#emit(0xaa0003e0 | (from << 16) | to);
  }

  /** str value, [base] (64 bits). */
  store(value: number, base: number): this {
    return this.#emit(0xf9000000 | (base << 5) | value);
  }

  /** ldr w, [base] (32 bits). */
  load32(to: number, base: number): this {
    return this.#emit(0xb9400000 | (base << 5) | to);
  }

  /** ldrb w, [base, #offset]. */
  load8(to: number, base: number, offset: number): this {
    return this.#emit(0x39400000 | (offset << 10) | (base << 5) | to);
  }

  /** cmp w, #imm12. */
  compare(r: number, value: number): this {
    return this.#emit(0x7100001f | (value << 10) | (r << 5));
  }

  /** adr to, label: the address of a label, code or data. */
  address(to: number, label: string): this {
    this.#fixups.push({ at: this.#words.length, label, kind: 'adr' });
    return this.#emit(0x10000000 | to);
  }

  /** add to, sp, #offset. */
  stackAddress(to: number, offset: number): this {
    return this.#emit(0x91000000 | (offset << 10) | (31 << 5) | to);
  }

  /** ldr to, [sp]. */
  loadStack(to: number): this {
    return this.#emit(0xf94003e0 | to);
  }

  /** add to, base, index, lsl #3; add to, to, #offset. */
  scaledAddress(to: number, base: number, index: number, offset: number): this {
    return this.#emit(0x8b000c00 | (index << 16) | (base << 5) | to).#emit(0x91000000 | (offset << 10) | (to << 5) | to);
  }

  /** Bytes among the code, by a label; padded to whole instructions. */
  data(label: string, bytes: Uint8Array): this {
    this.label(label);
    const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    for (let at = 0; at < padded.length; at += 4) this.#emit(padded.readUInt32LE(at));
    return this;
  }

  syscall(number: number): this {
    return this.set(8, number).#emit(0xd4000001);
  }

  jump(label: string): this {
    this.#fixups.push({ at: this.#words.length, label, kind: 'b' });
    return this.#emit(0x14000000);
  }

  /** b.eq, b.gt, b.lt */
  jumpIf(condition: 'eq' | 'gt' | 'lt', label: string): this {
    this.#fixups.push({ at: this.#words.length, label, kind: 'conditional' });
    return this.#emit(0x54000000 | { eq: 0, gt: 12, lt: 11 }[condition]);
  }

  build(): Uint8Array {
    const words = [...this.#words];
    for (const { at, label, kind } of this.#fixups) {
      const target = this.#labels.get(label);
      if (target === undefined) throw new Error(`no label ${label}`);
      const delta = target - at;
      // adr counts bytes: the two low bits stand apart, and are zero for whole instructions.
      words[at] = ((words[at] as number) | (kind === 'b' ? delta & 0x3ffffff : (delta & 0x7ffff) << 5)) >>> 0;
    }
    const out = Buffer.alloc(words.length * 4);
    for (const [i, word] of words.entries()) out.writeUInt32LE(word >>> 0, i * 4);
    return out;
  }

  #emit(word: number): this {
    this.#words.push(word >>> 0);
    return this;
  }
}
