import { chmodSync, closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { inflateRawSync } from 'node:zlib';

/** Take single files out of a zip archive: `files` maps an entry's path to where it goes (executable). Zip application note 4.3. */
export function unzip(archive, files) {
  const fd = openSync(archive, 'r');
  try {
    const size = fstatSync(fd).size;
    const tail = read(fd, Math.max(0, size - 65557), Math.min(size, 65557));
    const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
    if (end < 0) throw new Error(`${archive} is not a zip archive`);
    const directory = read(fd, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
    for (let at = 0; at < directory.length; ) {
      const nameLength = directory.readUInt16LE(at + 28);
      const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
      if (files[name]) extract(fd, directory, at, files[name]);
      at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    }
  } finally {
    closeSync(fd);
  }
}

function extract(fd, directory, at, target) {
  const method = directory.readUInt16LE(at + 10);
  const packed = directory.readUInt32LE(at + 20);
  const offset = directory.readUInt32LE(at + 42);
  const local = read(fd, offset, 30);
  const data = read(fd, offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28), packed);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(`${target}.tmp`, method === 0 ? data : inflateRawSync(data));
  chmodSync(`${target}.tmp`, 0o755);
  renameSync(`${target}.tmp`, target);
}

function read(fd, position, length) {
  const buffer = Buffer.alloc(length);
  readSync(fd, buffer, 0, length, position);
  return buffer;
}
