import { describe, expect, it } from 'vitest';
import { validateStopSignal } from './stop-signals.js';

describe("a container's stop signal", () => {
  it.each(['SIGTERM', 'SIGUSR1', 'SIGRTMIN', 'SIGRTMIN+15', 'SIGRTMAX-14', 'SIGRTMAX'])('is one of linux: %s', (signal) =>
    expect(validateStopSignal(signal, 'f', { name: 'linux' })).toEqual([]),
  );
  it.each(['TERM', '15', 'SIGRTMIN+0', 'SIGRTMIN+16', 'SIGRTMAX-15', ''])('is not %j', (signal) =>
    expect(validateStopSignal(signal, 'f', { name: 'linux' })).toMatchObject([{ field: 'f', message: expect.stringMatching(/Unsupported value/) }]),
  );
  it('is one of two on windows, and none without an operating system', () => {
    expect(validateStopSignal('SIGKILL', 'f', { name: 'windows' })).toEqual([]);
    expect(validateStopSignal('SIGUSR1', 'f', { name: 'windows' })).toMatchObject([{ message: expect.stringContaining('"SIGKILL", "SIGTERM"') }]);
    expect(validateStopSignal('SIGTERM', 'f', undefined)).toMatchObject([
      { message: expect.stringContaining('may not be set for containers with empty `spec.os.name`') },
    ]);
    expect(validateStopSignal(undefined, 'f', undefined)).toEqual([]);
  });
});
