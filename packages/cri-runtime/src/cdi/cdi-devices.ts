import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CriError } from '@coxswain/cri';
import { parse } from 'yaml';
import { type CdiEdits, type CdiSpec, parseCdiSpec } from './cdi-spec.js';

/** Where specifications are; what is in a later folder hides what an earlier one says of the same device. */
export const CDI_FOLDERS: readonly string[] = ['/etc/cdi', '/var/run/cdi'];

/**
 * What containers get of devices by name (`vendor.com/class=device`), all together. The folders are read each time: drivers write to them a
 * moment before. A file that cannot be used only matters to whom it concerns: then the error tells of it.
 */
export async function cdiEdits(names: readonly string[], folders: readonly string[] = CDI_FOLDERS): Promise<CdiEdits> {
  const broken: string[] = [];
  const levels = await Promise.all(folders.map((folder) => specsIn(folder, broken)));
  const used = new Set<CdiSpec>();
  const edits: CdiEdits[] = [];
  for (const name of names) {
    const at = name.indexOf('=');
    const [kind, device] = [name.slice(0, at), name.slice(at + 1)];
    const level = levels.findLast((specs) => specs.some((s) => s.kind === kind && s.devices.has(device)));
    const matching = (level ?? []).filter((s) => s.kind === kind && s.devices.has(device));
    if (matching.length !== 1) {
      const why = matching.length > 1 ? 'is described by several files' : `is described nowhere in ${folders.join(', ')}`;
      throw new CriError(
        'unknown',
        `CDI device injection failed: device ${JSON.stringify(name)} ${why}${broken.length > 0 ? `; not read: ${broken.join('; ')}` : ''}`,
      );
    }
    const spec = matching[0] as CdiSpec;
    if (!used.has(spec)) edits.push(spec.common);
    used.add(spec);
    edits.push(spec.devices.get(device) as CdiEdits);
  }
  return {
    env: edits.flatMap((e) => e.env),
    deviceNodes: edits.flatMap((e) => e.deviceNodes),
    mounts: edits.flatMap((e) => e.mounts),
    hooks: edits.flatMap((e) => e.hooks),
    additionalGids: [...new Set(edits.flatMap((e) => e.additionalGids))],
  };
}

async function specsIn(folder: string, broken: string[]): Promise<CdiSpec[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(json|yaml)$/.test(name)).sort();
  const specs = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      try {
        return [parseCdiSpec(parse(await readFile(path, 'utf8')))];
      } catch (error) {
        broken.push(`${path}: ${(error as Error).message}`);
        return [];
      }
    }),
  );
  return specs.flat();
}
