import { Signal } from '@coxswain/cri';
import { describe, expect, it } from 'vitest';
import { apiStopSignal, criStopSignal } from './stop-signal.js';

describe('stop signals', () => {
  it.each([
    ['SIGTERM', Signal.SIGTERM],
    ['SIGRTMIN', Signal.SIGRTMIN],
    ['SIGRTMIN+3', Signal.SIGRTMINPLUS3],
    ['SIGRTMAX-14', Signal.SIGRTMAXMINUS14],
  ])('%s there and back', (name, signal) => {
    expect(criStopSignal(name)).toBe(signal);
    expect(apiStopSignal(signal)).toBe(name);
  });
  it('may be nobody’s wish', () => {
    expect(criStopSignal(undefined)).toBe(Signal.RUNTIME_DEFAULT);
    expect(apiStopSignal(Signal.RUNTIME_DEFAULT)).toBeUndefined();
  });
});
