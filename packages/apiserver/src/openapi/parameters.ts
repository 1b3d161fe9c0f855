/** A parameter of an operation, in either dialect. */
export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
  readonly required?: boolean;
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({ name, in: 'query', type, description });

export const pretty = query('pretty', 'string', "'true': the answer is indented.");
export const namePath: Parameter = { name: 'name', in: 'path', type: 'string', description: 'Name of the object.', required: true };
export const namespacePath: Parameter = { name: 'namespace', in: 'path', type: 'string', description: 'Namespace of the object.', required: true };
export const restPath: Parameter = { name: 'path', in: 'path', type: 'string', description: 'Path below the resource.', required: true };

const dryRun = query('dryRun', 'string', "'All': everything is done but the write.");
const fieldManager = query('fieldManager', 'string', 'Name under which the fields that change are recorded.');
const fieldValidation = query('fieldValidation', 'string', 'What unknown or duplicate fields lead to: Ignore, Warn or Strict.');
const force = query('force', 'boolean', 'Apply: take over fields others own.');

export const writeParameters: readonly Parameter[] = [dryRun, fieldManager, fieldValidation];
export const patchParameters: readonly Parameter[] = [dryRun, fieldManager, fieldValidation, force];

export const deleteParameters: readonly Parameter[] = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds the object has before it is removed; 0 removes it at once.'),
  query('ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean', 'Remove the object even though it cannot be read from the store.'),
  query('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
];

const allowWatchBookmarks = query('allowWatchBookmarks', 'boolean', 'Watch: send bookmarks, which carry only a resourceVersion.');
const fieldSelector = query('fieldSelector', 'string', 'Restrict to objects with these field values.');
const labelSelector = query('labelSelector', 'string', 'Restrict to objects with these labels.');
const timeoutSeconds = query('timeoutSeconds', 'integer', 'Seconds after which the call ends.');

export const listParameters: readonly Parameter[] = [
  allowWatchBookmarks,
  query('continue', 'string', 'Where the previous page of a list ended.'),
  fieldSelector,
  labelSelector,
  query('limit', 'integer', 'Objects a page has at most.'),
  query('resourceVersion', 'string', 'The version the answer is from, or not older than.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  query('sendInitialEvents', 'boolean', 'Watch: begin with the present objects, then a bookmark.'),
  timeoutSeconds,
  query('watch', 'boolean', 'Send changes as they happen instead of a list.'),
];

/** Options of single subresources, by the kind that carries them. */
export const connectParameters: Readonly<Record<string, readonly Parameter[]>> = {
  PodExecOptions: [
    query('command', 'string', 'The program and its arguments, one parameter each.'),
    query('container', 'string', 'The container; may be left out when there is only one.'),
    query('stderr', 'boolean', 'Pass on what it writes to standard error.'),
    query('stdin', 'boolean', 'Pass standard input to it.'),
    query('stdout', 'boolean', 'Pass on what it writes to standard output.'),
    query('tty', 'boolean', 'Give it a terminal.'),
  ],
  PodAttachOptions: [
    query('container', 'string', 'The container; may be left out when there is only one.'),
    query('stderr', 'boolean', 'Pass on what it writes to standard error.'),
    query('stdin', 'boolean', 'Pass standard input to it.'),
    query('stdout', 'boolean', 'Pass on what it writes to standard output.'),
    query('tty', 'boolean', 'It has a terminal.'),
  ],
  PodPortForwardOptions: [query('ports', 'integer', 'Ports to forward to.')],
  PodProxyOptions: [query('path', 'string', 'Path to request.')],
  ServiceProxyOptions: [query('path', 'string', 'Path to request.')],
  NodeProxyOptions: [query('path', 'string', 'Path to request.')],
};

export const logParameters: readonly Parameter[] = [
  query('container', 'string', 'The container; may be left out when there is only one.'),
  query('follow', 'boolean', 'Go on as the log grows.'),
  query('insecureSkipTLSVerifyBackend', 'boolean', "Do not check the kubelet's certificate."),
  query('limitBytes', 'integer', 'Bytes after which the log is cut.'),
  query('previous', 'boolean', 'The log of the previous, ended container.'),
  query('sinceSeconds', 'integer', 'Only the last seconds.'),
  query('stream', 'string', 'All, Stdout or Stderr.'),
  query('tailLines', 'integer', 'Only the last lines.'),
  query('timestamps', 'boolean', 'Put the time before each line.'),
];
