/** What a container gets of a device (Container Device Interface, cncf-tags/container-device-interface 0.3 to 0.8), as far as Linux containers of ours take it. */
export interface CdiEdits {
  readonly env: readonly string[];
  readonly deviceNodes: readonly CdiDeviceNode[];
  readonly mounts: readonly CdiMount[];
  readonly hooks: readonly CdiHook[];
  readonly additionalGids: readonly number[];
}

export interface CdiDeviceNode {
  readonly path: string;
  readonly hostPath?: string;
  readonly permissions?: string;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly options: readonly string[];
}

export const CDI_HOOKS = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;

export interface CdiHook {
  readonly hookName: (typeof CDI_HOOKS)[number];
  readonly path: string;
  readonly args?: string[];
  readonly env?: string[];
  readonly timeout?: number;
}

/** One file: a kind and its devices. */
export interface CdiSpec {
  /** `vendor.com/class` */
  readonly kind: string;
  readonly devices: ReadonlyMap<string, CdiEdits>;
  /** Of every container that has any of the devices. */
  readonly common: CdiEdits;
}

const VERSION = /^v?0\.[3-8]\.\d+$/;
const KIND = /^[A-Za-z](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?\/[A-Za-z](?:[-A-Za-z0-9_]*[A-Za-z0-9])?$/;
const DEVICE = /^[A-Za-z0-9](?:[-A-Za-z0-9_.:]*[A-Za-z0-9])?$/;

type Json = Readonly<Record<string, unknown>>;

/** A parsed file, checked. Throws an error that names the field, also for what is known to CDI and cannot be done here. */
export function parseCdiSpec(document: unknown): CdiSpec {
  const { cdiVersion, kind, devices, containerEdits } = object(document, 'the specification');
  if (typeof cdiVersion !== 'string' || !VERSION.test(cdiVersion)) throw new Error(`cdiVersion ${JSON.stringify(cdiVersion)} is none from 0.3.0 to 0.8.0`);
  if (typeof kind !== 'string' || !KIND.test(kind)) throw new Error(`kind ${JSON.stringify(kind)} is not vendor/class`);
  const found = new Map<string, CdiEdits>();
  for (const [i, device] of list(devices, 'devices').entries()) {
    const { name, containerEdits: edits } = object(device, `devices[${i}]`);
    if (typeof name !== 'string' || !DEVICE.test(name)) throw new Error(`devices[${i}].name ${JSON.stringify(name)} is no device name`);
    if (found.has(name)) throw new Error(`devices[${i}].name ${JSON.stringify(name)} is there twice`);
    found.set(name, parseEdits(edits, `devices[${i}].containerEdits`));
  }
  return { kind, devices: found, common: parseEdits(containerEdits, 'containerEdits') };
}

function parseEdits(value: unknown, at: string): CdiEdits {
  const { env, deviceNodes, mounts, hooks, additionalGids, ...others } = value === undefined ? {} : object(value, at);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`${at}.${unknown} is not supported`);
  return {
    env: list(env, `${at}.env`).map((entry, i) => {
      if (typeof entry !== 'string' || entry.indexOf('=') < 1) throw new Error(`${at}.env[${i}] is not NAME=value`);
      return entry;
    }),
    deviceNodes: list(deviceNodes, `${at}.deviceNodes`).map((node, i) => deviceNode(object(node, `${at}.deviceNodes[${i}]`), `${at}.deviceNodes[${i}]`)),
    mounts: list(mounts, `${at}.mounts`).map((mount, i) => {
      const { hostPath, containerPath, options, type } = object(mount, `${at}.mounts[${i}]`);
      if (type !== undefined && type !== '' && type !== 'bind' && type !== 'none')
        throw new Error(`${at}.mounts[${i}].type ${JSON.stringify(type)} is not supported`);
      return {
        hostPath: path(hostPath, `${at}.mounts[${i}].hostPath`),
        containerPath: path(containerPath, `${at}.mounts[${i}].containerPath`),
        options: list(options, `${at}.mounts[${i}].options`).map((o) => text(o, `${at}.mounts[${i}].options`)),
      };
    }),
    hooks: list(hooks, `${at}.hooks`).map((hook, i) => {
      const { hookName, path: program, args, env: environment, timeout } = object(hook, `${at}.hooks[${i}]`);
      const known = CDI_HOOKS.find((h) => h === hookName);
      if (!known) throw new Error(`${at}.hooks[${i}].hookName ${JSON.stringify(hookName)} is none of ${CDI_HOOKS.join(', ')}`);
      return {
        hookName: known,
        path: path(program, `${at}.hooks[${i}].path`),
        ...(args === undefined ? {} : { args: list(args, `${at}.hooks[${i}].args`).map((a) => text(a, `${at}.hooks[${i}].args`)) }),
        ...(environment === undefined ? {} : { env: list(environment, `${at}.hooks[${i}].env`).map((e) => text(e, `${at}.hooks[${i}].env`)) }),
        ...(timeout === undefined ? {} : { timeout: integer(timeout, `${at}.hooks[${i}].timeout`) }),
      };
    }),
    additionalGids: list(additionalGids, `${at}.additionalGids`).map((gid) => integer(gid, `${at}.additionalGids`)),
  };
}

/** Type and numbers of a node are those of the device that is there: a specification may repeat them. */
function deviceNode({ path: at, hostPath, permissions, fileMode, uid, gid }: Json, field: string): CdiDeviceNode {
  const number = (name: string, value: unknown) => (value === undefined ? {} : { [name]: integer(value, `${field}.${name}`) });
  if (permissions !== undefined && (typeof permissions !== 'string' || !/^[rwm]*$/.test(permissions)))
    throw new Error(`${field}.permissions ${JSON.stringify(permissions)} are not of r, w and m`);
  return {
    path: path(at, `${field}.path`),
    ...(hostPath === undefined ? {} : { hostPath: path(hostPath, `${field}.hostPath`) }),
    ...(permissions ? { permissions } : {}),
    ...number('fileMode', fileMode),
    ...number('uid', uid),
    ...number('gid', gid),
  };
}

function object(value: unknown, at: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${at} is not an object`);
  return value as Json;
}

function list(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${at} is not a list`);
  return value;
}

function text(value: unknown, at: string): string {
  if (typeof value !== 'string') throw new Error(`${at} holds ${JSON.stringify(value)}, which is not text`);
  return value;
}

function path(value: unknown, at: string): string {
  if (typeof value !== 'string' || !value.startsWith('/')) throw new Error(`${at} ${JSON.stringify(value)} is not an absolute path`);
  return value;
}

function integer(value: unknown, at: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Error(`${at} ${JSON.stringify(value)} is not a number from 0`);
  return value as number;
}
