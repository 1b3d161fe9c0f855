import type { Container, Pod } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { containerHash } from './container-hash.js';
import { decide, type PodActions } from './decide.js';
import { emptyObservedPod, type ObservedContainer, type ObservedPod } from './observed.js';

/** `web:running`, `init:exited(0)`, `web:exited(1)@2 (restart count)`: containers newest first, in sandbox s0 unless said otherwise. */
function observe(sandbox: 'none' | 'ready' | 'dead', ...containers: string[]): ObservedPod {
  const base = emptyObservedPod('u', 'p', 'default');
  const parsed = containers.map((text, i): ObservedContainer => {
    const [, name = '', phase = '', exit, count] = /^(\w+):(\w+)(?:\((\d+)\))?(?:@(\d+))?$/.exec(text) ?? [];
    return {
      id: `${name}-${count ?? 0}`,
      name,
      sandboxId: 's0',
      phase: phase as ObservedContainer['phase'],
      createdAt: 100 - i,
      startedAt: 1,
      finishedAt: 1000,
      exitCode: Number(exit ?? 0),
      reason: '',
      message: '',
      image: 'i',
      imageRef: 'i',
      hash: containerHash({ name, image: 'i' }),
      restartCount: Number(count ?? 0),
      logPath: '',
    };
  });
  if (sandbox === 'none') return { ...base, containers: parsed };
  return {
    ...base,
    sandboxes: [{ id: 's0', attempt: 0, ready: sandbox === 'ready', createdAt: 1, ips: ['10.0.0.1'], hostNetwork: false, runtimeHandler: '' }],
    containers: parsed,
  };
}

const c = (name: string, more: Partial<Container> = {}): Container => ({ name, image: 'i', ...more });

function pod(restartPolicy: string, containers: Container[], initContainers: Container[] = []): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default', uid: 'u' }, spec: { restartPolicy, containers, initContainers } };
}

function trace(actions: PodActions): string {
  return [
    ...(actions.stopPod ? ['stop pod'] : []),
    ...actions.kill.map((k) => `kill ${k.name} (${k.reason})`),
    ...(actions.createSandbox ? [`sandbox ${actions.attempt}`] : []),
    ...actions.start.map((s) => `start ${s.ref.container.name}#${s.restartCount}`),
    ...actions.wait.map((w) => `wait ${w.ref.container.name} ${w.remaining}ms`),
  ].join(', ');
}

function run(p: Pod, observed: ObservedPod, probes: { live?: 'failure'; startup?: 'success' | 'failure' } = {}, wait = 0): string {
  return trace(
    decide({ pod: p, observed, probes: { liveness: () => probes.live ?? 'success', startup: () => probes.startup ?? 'unknown' }, backoff: () => wait }),
  );
}

const init = [c('i1'), c('i2')];
const side = c('side', { restartPolicy: 'Always' });
const slow = c('slow', { restartPolicy: 'Always', startupProbe: {} });
const live = c('web', { livenessProbe: {} });

describe('decisions for a pod', () => {
  it.each([
    // what the pod is, what runs → what is done
    ['a new pod', pod('Always', [c('web'), c('db')]), observe('none'), {}, 0, 'sandbox 0, start web#0, start db#0'],
    ['everything runs', pod('Always', [c('web')]), observe('ready', 'web:running'), {}, 0, ''],
    ['one ended', pod('Always', [c('web'), c('db')]), observe('ready', 'web:exited(0)', 'db:running'), {}, 0, 'start web#1'],
    ['one ended, backing off', pod('Always', [c('web'), c('db')]), observe('ready', 'web:exited(1)@3', 'db:running'), {}, 500, 'wait web 500ms'],
    ['made, never started', pod('Always', [c('web')]), observe('ready', 'web:created'), {}, 0, 'start web#1'],
    ['OnFailure, failed', pod('OnFailure', [c('web')]), observe('ready', 'web:exited(1)'), {}, 0, 'start web#1'],
    ['OnFailure, done', pod('OnFailure', [c('web')]), observe('ready', 'web:exited(0)'), {}, 0, 'stop pod'],
    ['Never, failed', pod('Never', [c('web')]), observe('ready', 'web:exited(1)'), {}, 0, 'stop pod'],
    ['Never, one still runs', pod('Never', [c('web'), c('db')]), observe('ready', 'web:exited(1)', 'db:running'), {}, 0, ''],
    ['sandbox died', pod('Always', [c('web')]), observe('dead', 'web:exited(137)'), {}, 0, 'sandbox 1, start web#1'],
    ['sandbox died, Never', pod('Never', [c('web')]), observe('dead', 'web:exited(137)'), {}, 0, 'stop pod'],
    ['sandbox died after init', pod('Always', [c('web')], init), observe('dead', 'web:exited(137)', 'i1:exited(0)'), {}, 0, 'sandbox 1, start i1#1'],
    ['liveness failed', pod('Always', [live]), observe('ready', 'web:running'), { live: 'failure' as const }, 0, 'kill web (livenessFailed), start web#1'],
    [
      'liveness failed soon after the last time',
      pod('Always', [live]),
      observe('ready', 'web:running@2', 'web:exited(137)@1'),
      { live: 'failure' as const },
      500,
      'kill web (livenessFailed), wait web 500ms',
    ],
    ['liveness failed, Never', pod('Never', [live]), observe('ready', 'web:running'), { live: 'failure' as const }, 0, 'kill web (livenessFailed)'],
    ['other image', pod('Always', [c('web', { image: 'new' })]), observe('ready', 'web:running'), {}, 0, 'kill web (definitionChanged), start web#1'],
    ['runtime lost it', pod('Always', [c('web')]), observe('ready', 'web:unknown'), {}, 0, 'kill web (unknownState), start web#1'],
    ['first init', pod('Always', [c('web')], init), observe('none'), {}, 0, 'sandbox 0, start i1#0'],
    ['init runs', pod('Always', [c('web')], init), observe('ready', 'i1:running'), {}, 0, ''],
    ['second init', pod('Always', [c('web')], init), observe('ready', 'i1:exited(0)'), {}, 0, 'start i2#0'],
    ['init failed', pod('Always', [c('web')], init), observe('ready', 'i1:exited(2)'), {}, 0, 'start i1#1'],
    ['init failed, Never', pod('Never', [c('web')], init), observe('ready', 'i1:exited(2)'), {}, 0, 'stop pod'],
    ['init done', pod('Always', [c('web')], init), observe('ready', 'i2:exited(0)', 'i1:exited(0)'), {}, 0, 'start web#0'],
    ['init cleaned up after the start', pod('Always', [c('web')], init), observe('ready', 'web:running'), {}, 0, ''],
    ['sidecar without startup probe', pod('Always', [c('web')], [side, c('i1')]), observe('ready', 'side:running'), {}, 0, 'start i1#0'],
    ['sidecar starting up', pod('Always', [c('web')], [slow]), observe('ready', 'slow:running'), {}, 0, ''],
    ['sidecar started up', pod('Always', [c('web')], [slow]), observe('ready', 'slow:running'), { startup: 'success' as const }, 0, 'start web#0'],
    [
      'sidecar of another image',
      pod('Never', [c('web')], [{ ...side, image: 'new' }]),
      observe('ready', 'web:running', 'side:running'),
      {},
      0,
      'kill side (definitionChanged), start side#1',
    ],
    ['sidecar ended while the pod runs', pod('Never', [c('web')], [side]), observe('ready', 'web:running', 'side:exited(1)'), {}, 0, 'start side#1'],
    ['only the sidecar is left', pod('Never', [c('web')], [side]), observe('ready', 'web:exited(0)', 'side:running'), {}, 0, 'stop pod'],
    [
      'exit code rule',
      pod('Never', [c('web', { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] })]),
      observe('ready', 'web:exited(42)'),
      {},
      0,
      'start web#1',
    ],
    [
      'exit code rule, other code',
      pod('Never', [c('web', { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] })]),
      observe('ready', 'web:exited(1)'),
      {},
      0,
      'stop pod',
    ],
  ])('%s', (_name, p, observed, probes, wait, expected) => {
    expect(run(p, observed, probes, wait)).toBe(expected);
  });

  it('starts an ephemeral container once, beside whatever else happens', () => {
    const p = pod('Always', [c('web')]);
    p.spec = { ...p.spec, containers: p.spec?.containers ?? [], ephemeralContainers: [{ name: 'debug', image: 'i' }] };
    expect(run(p, observe('ready', 'web:running'))).toBe('start debug#0');
    expect(run(p, observe('ready', 'debug:exited(0)', 'web:running'))).toBe('');
  });

  it('hashes a container as upstream does: by name and image only', () => {
    expect(containerHash({ name: 'a', image: 'b' })).toBe(containerHash({ name: 'a', image: 'b', command: ['x'] } as Container));
    expect(containerHash({ name: 'a', image: 'b' })).not.toBe(containerHash({ name: 'a', image: 'c' }));
  });
});
