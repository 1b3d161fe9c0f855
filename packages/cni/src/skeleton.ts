import { parseArgs, validateContainerId, validateIfname, validateNetworkName } from './args.js';
import { CniError, CniErrorCode, toCniError } from './error.js';
import { execInvoker } from './exec-invoker.js';
import { dispatch, inProcessInvoker } from './in-process-invoker.js';
import type { CniCall, CniPlugin } from './plugin.js';
import { formatResult, parseResult } from './result.js';
import type { PluginConf } from './types.js';
import { CURRENT_VERSION, IMPLIED_VERSION, requireSupported } from './version.js';

/** The surroundings of an executable, as parameters. */
export interface CniMainIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: () => Promise<string>;
  readonly stdout: (text: string) => void;
}

/** The surroundings of this process. */
export function processIo(): CniMainIo {
  return {
    env: process.env,
    stdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
    stdout: (text) => void process.stdout.write(text),
  };
}

/** Which variables each command needs (spec section 2, "Parameters"). */
const REQUIRED: Readonly<Record<CniCall['command'], readonly string[]>> = {
  ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  DEL: ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_PATH'],
  GC: ['CNI_PATH'],
  STATUS: ['CNI_PATH'],
};

function isCommand(text: string): text is CniCall['command'] {
  return Object.hasOwn(REQUIRED, text);
}

function parseConfig(text: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CniError(CniErrorCode.decodingFailure, `error decoding configuration: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new CniError(CniErrorCode.decodingFailure, 'configuration is not a JSON object');
  return json as Record<string, unknown>;
}

function readCall(plugin: CniPlugin, env: CniMainIo['env'], command: CniCall['command'], json: Record<string, unknown>): CniCall {
  const missing = REQUIRED[command].filter((name) => !env[name]);
  if (missing.length > 0) throw new CniError(CniErrorCode.invalidEnvironment, `required env variables [${missing.join(',')}] missing`);
  const containerId = env.CNI_CONTAINERID ?? '';
  const ifname = env.CNI_IFNAME ?? '';
  const attachment = command === 'ADD' || command === 'CHECK' || command === 'DEL';
  if (attachment) {
    validateContainerId(containerId);
    validateIfname(ifname);
  }
  const cniVersion = typeof json.cniVersion === 'string' ? json.cniVersion : IMPLIED_VERSION;
  requireSupported(cniVersion, plugin.supportedVersions);
  if (command === 'CHECK' && cniVersion.startsWith('0.3.'))
    throw new CniError(CniErrorCode.incompatibleVersion, `config version ${cniVersion} does not allow CHECK`);
  if ((command === 'GC' || command === 'STATUS') && cniVersion !== CURRENT_VERSION) {
    throw new CniError(CniErrorCode.incompatibleVersion, `config version ${cniVersion} does not allow ${command}`);
  }
  validateNetworkName(json.name);
  const { prevResult, ...rest } = json;
  const config = {
    ...rest,
    cniVersion,
    name: json.name,
    type: typeof json.type === 'string' ? json.type : plugin.type,
    ...(prevResult === undefined ? {} : { prevResult: parseResult(prevResult) }),
  } as PluginConf;
  if (command === 'GC' || command === 'STATUS') return { command, config };
  return { command, containerId, netns: env.CNI_NETNS ?? '', ifname, args: parseArgs(env.CNI_ARGS ?? ''), config };
}

/**
 * The main function of a plugin executable: reads the environment and standard input, calls the plugin, prints the
 * result or error, and resolves with the exit code. Delegates (IPAM) are taken from `siblings` first, then from CNI_PATH.
 */
export async function runCniPlugin(plugin: CniPlugin, io: CniMainIo = processIo(), siblings: Iterable<CniPlugin> = []): Promise<number> {
  let version: string = CURRENT_VERSION;
  try {
    const command = io.env.CNI_COMMAND ?? '';
    if (command === '') throw new CniError(CniErrorCode.invalidEnvironment, 'required env variables [CNI_COMMAND] missing');
    if (command === 'VERSION') {
      io.stdout(`${JSON.stringify({ cniVersion: CURRENT_VERSION, supportedVersions: plugin.supportedVersions })}\n`);
      return 0;
    }
    if (!isCommand(command)) throw new CniError(CniErrorCode.invalidEnvironment, `unknown CNI_COMMAND: ${command}`);
    const json = parseConfig(await io.stdin());
    if (typeof json.cniVersion === 'string' && plugin.supportedVersions.includes(json.cniVersion)) version = json.cniVersion;
    const call = readCall(plugin, io.env, command, json);
    const delegate = inProcessInvoker(siblings, execInvoker({ path: (io.env.CNI_PATH ?? '').split(':').filter(Boolean) }));
    const result = await dispatch(plugin, call, delegate);
    if (result) io.stdout(`${JSON.stringify(formatResult(result, call.config.cniVersion))}\n`);
    return 0;
  } catch (error) {
    io.stdout(`${JSON.stringify(toCniError(error).toJSON(version))}\n`);
    return 1;
  }
}
