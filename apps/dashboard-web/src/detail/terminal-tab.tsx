import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { useEffect, useRef, useState } from 'react';
import { ExecSession } from '../api/exec';
import type { KubeObject } from '../api/resource';
import { useDark } from '../shell/theme';
import { containersOf } from './pod-containers';

/** The best shell there is. */
const SHELL = ['sh', '-c', 'command -v bash >/dev/null && exec bash || exec sh'];

export default function TerminalTab({ pod }: { readonly pod: KubeObject }) {
  const { name, namespace = '' } = pod.metadata;
  const running = containersOf(pod).filter((c) => c.running);
  const [chosen, setChosen] = useState<string>();
  const container = chosen ?? running[0]?.name;
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState('Connecting…');
  const host = useRef<HTMLDivElement>(null);
  const terminal = useRef<Terminal>(null);
  const dark = useDark();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt is a new session
  useEffect(() => {
    if (!container || !host.current) return;
    const screen = new Terminal({
      fontFamily: getComputedStyle(host.current).getPropertyValue('--mono'),
      fontSize: 13,
      cursorBlink: true,
      screenReaderMode: false,
    });
    const fit = new FitAddon();
    screen.loadAddon(fit);
    screen.open(host.current);
    terminal.current = screen;
    setState('Connecting…');
    const session = new ExecSession(
      { namespace, pod: name, container, command: SHELL },
      {
        onOpen: () => {
          setState('Connected');
          fit.fit();
          session.resize(screen.cols, screen.rows);
          screen.focus();
        },
        onOutput: (bytes) => screen.write(bytes),
        onEnd: (problem) => setState(problem === undefined ? 'Ended' : `Ended: ${problem}`),
      },
    );
    screen.onData((data) => session.send(data));
    screen.onResize(({ cols, rows }) => session.resize(cols, rows));
    const sizes = new ResizeObserver(() => fit.fit());
    sizes.observe(host.current);
    return () => {
      sizes.disconnect();
      session.close();
      screen.dispose();
    };
  }, [namespace, name, container, attempt]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new terminal needs its colours too
  useEffect(() => {
    const css = getComputedStyle(document.documentElement);
    const colour = (name: string) => css.getPropertyValue(name).trim();
    if (terminal.current) {
      terminal.current.options.theme = {
        background: colour('--surface'),
        foreground: colour('--text'),
        cursor: colour('--accent'),
        selectionBackground: colour('--select'),
      };
    }
  }, [dark, container, attempt]);

  if (!container) return <p className="notice">No container of this pod is running.</p>;
  const ended = state.startsWith('Ended');
  return (
    <section className="terminal-tab">
      <div className="bar">
        <select aria-label="Container" value={container} onChange={(e) => setChosen(e.target.value)}>
          {running.map((c) => (
            <option key={c.name}>{c.name}</option>
          ))}
        </select>
        <span className={`pill ${tone(state)}`} role="status">
          {state}
        </span>
        {ended && (
          <button type="button" onClick={() => setAttempt((n) => n + 1)}>
            Connect again
          </button>
        )}
      </div>
      <div ref={host} className="terminal-screen" role="group" aria-label={`Terminal in ${container}`} />
    </section>
  );
}

/** Of a session's state: a shell that was left is nothing bad. */
function tone(state: string): string {
  if (state === 'Connected') return 'good';
  if (state === 'Ended') return '';
  return state.startsWith('Ended') ? 'bad' : 'busy';
}
