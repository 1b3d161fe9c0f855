import { readFile } from 'node:fs/promises';
import { OciError } from './error.js';
import { buildImage, type BuildImageOptions, type BuiltImage, type ImageFile } from './build-image.js';

const APPLETS =
  'sh ash cat echo ls mkdir rm mv cp ln touch sleep true false test env printenv id whoami hostname ps kill killall top head tail grep sed awk cut sort uniq wc tr tee find xargs date dd df du mount umount stat chmod chown chgrp ping nc wget nslookup httpd ip ifconfig route netstat vi tar gzip gunzip seq expr basename dirname readlink realpath sync uname uptime free pwd printf yes md5sum sha256sum base64 od hexdump sysctl nproc timeout time watch which pgrep pkill cmp diff mktemp mknod su adduser addgroup login getty telnet tty stty'.split(
    ' ',
  );

/** An image around Debian's `busybox-static`, for tests and examples where no registry can be reached. Throws `OciError` when it is not installed. */
export async function buildBusyboxImage(
  options: Partial<BuildImageOptions> & { readonly extraFiles?: Readonly<Record<string, ImageFile>>; readonly busybox?: string } = {},
): Promise<BuiltImage> {
  const { extraFiles, busybox = '/bin/busybox', ...rest } = options;
  const files: Record<string, ImageFile> = {
    '/bin/busybox': { content: await program(busybox), mode: 0o755 },
    ...Object.fromEntries(APPLETS.map((a) => [`/bin/${a}`, { symlink: '/bin/busybox' }])),
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
    '/etc/group': 'root:x:0:\nnogroup:x:65534:\n',
    '/tmp': { directory: true, mode: 0o1777 },
    '/root': { directory: true, mode: 0o700 },
    '/proc': { directory: true },
    '/sys': { directory: true },
    '/dev': { directory: true },
    '/var/run': { directory: true },
    ...extraFiles,
  };
  return buildImage({ files, ...rest, config: { Env: ['PATH=/bin'], Cmd: ['sh'], ...rest.config } });
}

async function program(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new OciError('not-found', `${path} is not there: install Debian's busybox-static (apt-get install busybox-static)`, { cause: error });
  }
}
