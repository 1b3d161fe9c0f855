import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { CliError, readFlagFile } from '@coxswain/command';
import { parse } from 'yaml';
import { API_VERSION, kubeletSettings, mergeConfiguration, type RawConfiguration } from './kubelet-configuration.js';
import { record } from './takes.js';

/** Reads `--config` and the drop-in files of `--config-dir` (every `.conf` below it, in the order of their names) into one configuration. */
export function readConfiguration(path: string | undefined, dropIns: string | undefined): RawConfiguration {
  let raw: RawConfiguration = path ? readOne('--config', path) : {};
  if (path) check('--config', path, raw);
  for (const file of dropIns ? dropInFiles(dropIns) : []) {
    const above = readOne('--config-dir', file);
    raw = mergeConfiguration(raw, above);
    check('--config-dir', file, raw);
  }
  return raw;
}

function readOne(flag: string, path: string): RawConfiguration {
  const content = readFlagFile(flag, path);
  try {
    const raw = record(parse(content));
    if (raw['kind'] !== 'KubeletConfiguration' || raw['apiVersion'] !== API_VERSION) throw new TypeError(`is no KubeletConfiguration of ${API_VERSION}`);
    return absolute(raw, dirname(resolve(path)));
  } catch (error) {
    throw refused(flag, path, error);
  }
}

function check(flag: string, path: string, raw: RawConfiguration): void {
  try {
    kubeletSettings(raw);
  } catch (error) {
    throw refused(flag, path, error);
  }
}

const refused = (flag: string, path: string, error: unknown) => new CliError(`${flag}: ${path}: ${(error as Error).message}`, undefined, 2, { cause: error });

function dropInFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.conf') && !basename(name).startsWith('.'))
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
      .sort();
  } catch (error) {
    throw new CliError(`--config-dir: ${folder} cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`, undefined, 2);
  }
}

/** Relative paths of a file start where the file is. */
function absolute(raw: RawConfiguration, folder: string): RawConfiguration {
  const at = (value: unknown) => (typeof value === 'string' && value !== '' && !isAbsolute(value) ? join(folder, value) : value);
  const paths = ['staticPodPath', 'tlsCertFile', 'tlsPrivateKeyFile', 'resolvConf', 'podLogsDir'];
  const out: Record<string, unknown> = { ...raw };
  for (const name of paths) if (name in out) out[name] = at(out[name]);
  const authentication = raw['authentication'] as { x509?: { clientCAFile?: unknown } } | undefined;
  if (authentication?.x509?.clientCAFile)
    out['authentication'] = { ...authentication, x509: { ...authentication.x509, clientCAFile: at(authentication.x509.clientCAFile) } };
  return out;
}
