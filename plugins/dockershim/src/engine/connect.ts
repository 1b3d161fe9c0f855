import type { Engine } from './engine.js';
import { EngineError } from './engine-error.js';
import type { EngineInfo } from './engine-types.js';

/** The one storage driver whose layers we can look into: for users by name, and for what a container wrote. */
const STORAGE_DRIVER = 'overlay2';

/** What the engine is, once it has been checked that it can serve. Rejects with what to change. */
export async function requireEngine(engine: Engine): Promise<EngineInfo> {
  const info = await engine.info();
  if (info.Driver !== STORAGE_DRIVER) {
    throw new EngineError(
      'failedPrecondition',
      `the Docker Engine on ${engine.client.socket} keeps images with "${info.Driver}"; set "storage-driver": "${STORAGE_DRIVER}" in its daemon.json`,
    );
  }
  if (info.CgroupDriver !== 'cgroupfs') {
    throw new EngineError(
      'failedPrecondition',
      `the Docker Engine on ${engine.client.socket} has the cgroup driver "${info.CgroupDriver}"; set "exec-opts": ["native.cgroupdriver=cgroupfs"] in its daemon.json`,
    );
  }
  return info;
}
