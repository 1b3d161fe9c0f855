import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeServiceClient } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import { findContainer } from '../pod/pod-spec.js';
import { runtimeErrorText } from '../runtime-errors.js';
import type { Call } from './handler.js';
import { HttpError } from './http-error.js';
import type { PodAccess } from './pod-access.js';

export interface CheckpointDeps {
  readonly runtime: Pick<RuntimeServiceClient, 'checkpointContainer'>;
  readonly access: Pick<PodAccess, 'pod'>;
  readonly clock: Clock;
  readonly rootDir: string;
}

/** `POST /checkpoint/NAMESPACE/POD/CONTAINER?timeout=SECONDS`: the runtime writes a running container to a file, whose path is answered. */
export async function checkpoint({ request, url, parts }: Call, { runtime, access, clock, rootDir }: CheckpointDeps): Promise<{ items: string[] }> {
  if (request.method !== 'POST') throw new HttpError(405, 'Method Not Allowed');
  const [namespace = '', name = '', container = ''] = parts;
  if (parts.length !== 3) throw new HttpError(404, '404 page not found');
  const { pod, observed } = access.pod(namespace, name);
  if (!findContainer(pod, container)) throw new HttpError(404, `container ${container} does not exist`);
  const asked = url.searchParams.getAll('timeout').at(-1) ?? '0';
  if (!/^-?\d{1,15}$/.test(asked)) throw new HttpError(404, 'cannot parse value of timeout parameter');
  const timeout = BigInt(asked);
  const failed = (why: string) => new HttpError(500, `checkpointing of ${namespace}/${name}/${container} failed (${why})`);
  const running = observed.containers.find((c) => c.name === container && c.phase === 'running');
  if (!running) throw failed(`container ${container} not found`);
  if (timeout < 0n) throw failed(`timeout must be greater than 0: ${timeout}`);
  const folder = join(rootDir, 'checkpoints');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const time = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const location = join(folder, `checkpoint-${name}_${namespace}-${container}-${time}.tar`);
  try {
    await runtime.checkpointContainer({ containerId: running.id, location, timeout }, timeout > 0n ? { timeoutMs: (Number(timeout) + 10) * 1000 } : {});
  } catch (error) {
    throw failed(runtimeErrorText(error));
  }
  return { items: [location] };
}
