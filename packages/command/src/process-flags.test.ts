import { expect, it } from 'vitest';
import { addServingFlags } from './component-flags.js';
import { componentCommand } from './component-command.js';
import { flagValues, processFlags } from './process-flags.js';

it('flags are told as a command line gives them, those by default too', async () => {
  const command = addServingFlags(componentCommand('ticker', 'ticks'), 10_250).action(() => {});
  await command.parseAsync(['--bind-address=::', '--authentication-token-webhook-cache-ttl=90s', '--requestheader-allowed-names=a,b'], { from: 'user' });
  expect(processFlags()).toEqual(flagValues(command));
  expect(processFlags()).toMatchObject({
    'authentication-token-webhook-cache-ttl': '1m30s',
    'authorization-always-allow-paths': '[/healthz,/readyz,/livez]',
    'bind-address': '::',
    'cert-dir': '',
    'client-ca-file': '',
    'log-level': 'info',
    profiling: 'true',
    'requestheader-allowed-names': '[a,b]',
    'secure-port': '10250',
  });
});
