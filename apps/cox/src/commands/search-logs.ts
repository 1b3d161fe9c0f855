import { ApiError } from '@coxswain/apimachinery';
import type { ClusterConfig } from '@coxswain/cluster';
import { LOGGING_GROUP, LOGGING_VERSION, type WireEntry } from '@coxswain/logging';
import { CliError } from '@coxswain/command';
import { adminApi } from '../cluster/admin-api.js';
import type { LogsOptions } from './logs.js';

const MOST = 100_000;

/** `cox logs --selector … --grep …`: what the logging add-ons of all nodes have collected, through the API server. */
export async function searchLogs(config: ClusterConfig, options: LogsOptions): Promise<void> {
  const { selector, namespace, container, pod, since, grep, follow, tail } = options;
  const query = new URLSearchParams({ limit: String(Math.min(MOST, Math.max(1, tail ?? MOST))) });
  for (const [key, value] of Object.entries({ labelSelector: selector, container, pod, since, grep })) if (value !== undefined) query.set(key, value);
  if (follow) query.set('follow', 'true');
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const { client, close } = adminApi(config);
  try {
    const path = `/apis/${LOGGING_GROUP}/${LOGGING_VERSION}${scope}/podlogs/search`;
    const { chunks, headers } = await client.rest.stream({ method: 'GET', path, query: query.toString(), headers: { accept: '*/*' } });
    if (headers['warning']) process.stderr.write(`warning: ${headers['warning']}\n`);
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of chunks) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      const text = lines.filter((line) => line !== '').map((line) => `${show(JSON.parse(line) as WireEntry)}\n`);
      if (text.length > 0) process.stdout.write(text.join(''));
    }
  } catch (error) {
    if (error instanceof ApiError && error.code === 400) throw new CliError(error.message, undefined, 2);
    if (error instanceof ApiError && (error.code === 404 || error.code === 503)) {
      throw new CliError(`the logging add-on does not answer: ${error.message}`, `look at: cox logs node --name ${config.name}`);
    }
    throw error;
  } finally {
    await close();
  }
}

const show = ({ time, namespace, pod, container, text }: WireEntry) => `${time} ${namespace}/${pod}/${container} ${text}`;
