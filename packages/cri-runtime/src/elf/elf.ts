/** Architectures we can write programs for, by Node's names. */
export type ElfArch = 'x64' | 'arm64';

const MACHINE: Record<ElfArch, number> = { x64: 62, arm64: 183 };
const BASE = 0x400000n;
const HEADER = 64 + 2 * 56;

/**
 * A static ELF64 executable: one page of code, one of zeroed memory (`bssBytes`) at `bssAddress`, no sections, no interpreter.
 * Layout: ELF specification, "Object Files"; two PT_LOAD segments.
 */
export function elfExecutable(arch: ElfArch, code: Uint8Array, bssBytes = 0): Uint8Array {
  const out = Buffer.alloc(HEADER + code.length);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  out.writeUInt16LE(2, 16); // ET_EXEC
  out.writeUInt16LE(MACHINE[arch], 18);
  out.writeUInt32LE(1, 20);
  out.writeBigUInt64LE(BASE + BigInt(HEADER), 24);
  out.writeBigUInt64LE(64n, 32);
  out.writeUInt16LE(64, 52);
  out.writeUInt16LE(56, 54);
  out.writeUInt16LE(2, 56);
  const segment = (at: number, flags: number, offset: bigint, address: bigint, fileSize: number, memorySize: number) => {
    out.writeUInt32LE(1, at); // PT_LOAD
    out.writeUInt32LE(flags, at + 4);
    out.writeBigUInt64LE(offset, at + 8);
    out.writeBigUInt64LE(address, at + 16);
    out.writeBigUInt64LE(address, at + 24);
    out.writeBigUInt64LE(BigInt(fileSize), at + 32);
    out.writeBigUInt64LE(BigInt(memorySize), at + 40);
    out.writeBigUInt64LE(0x10000n, at + 48);
  };
  segment(64, 5, 0n, BASE, out.length, out.length);
  segment(64 + 56, 6, 0n, BSS_ADDRESS, 0, Math.max(bssBytes, 8));
  out.set(code, HEADER);
  return out;
}

/** Where the zeroed memory starts. */
export const BSS_ADDRESS = 0x500000n;
