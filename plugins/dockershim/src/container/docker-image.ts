import type { RuntimeImage } from '@coxswain/cri-runtime';
import type { Digest, ImageConfiguration } from '@coxswain/oci';
import type { GraphDriver, ImageInspect } from '../engine/engine-types.js';

/** An image as the engine has it. */
export interface DockerImage extends RuntimeImage {
  /** Folders, uppermost first. */
  readonly layers: readonly string[];
}

export function dockerImage(found: ImageInspect): DockerImage {
  const config = found.Config ?? {};
  const configuration: ImageConfiguration = {
    architecture: found.Architecture,
    os: found.Os,
    config: {
      ...(config.User ? { User: config.User } : {}),
      ...(config.Env ? { Env: [...config.Env] } : {}),
      ...(config.Entrypoint ? { Entrypoint: [...config.Entrypoint] } : {}),
      ...(config.Cmd ? { Cmd: [...config.Cmd] } : {}),
      ...(config.WorkingDir ? { WorkingDir: config.WorkingDir } : {}),
      ...(config.Volumes ? { Volumes: { ...config.Volumes } } : {}),
      ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    },
    rootfs: { type: 'layers', diff_ids: [...(found.RootFS.Layers ?? [])] as Digest[] },
  };
  return { id: found.Id, config: configuration, names: found.RepoTags ?? [], digests: found.RepoDigests ?? [], layers: layersOf(found.GraphDriver) };
}

/** overlay2's folders, uppermost first. */
export function layersOf({ Data }: GraphDriver): string[] {
  return [Data?.['UpperDir'] ?? '', ...(Data?.['LowerDir'] ?? '').split(':')].filter(Boolean);
}
