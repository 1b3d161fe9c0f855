import { createHash } from 'node:crypto';
import { buffer, text } from 'node:stream/consumers';
import { dialCommand, dialPortForward } from '@coxswain/cri';
import { describe, expect, it } from 'vitest';
import type { ContainerInit, CriBench } from './cri-bench.js';

/** Exec, attach and port-forward. */
export function streamingCases(t: CriBench): void {
  const { needs, runPod, start, exec, exited } = t;

  describe.each(['spdy', 'websocket'] as const)('streaming over %s', (transport) => {
    it('exec without a terminal', async () => {
      const { containerId } = await start(await runPod());
      const { url } = await t.cri.runtime.exec({ containerId, cmd: ['sh', '-c', 'echo hello; echo bad >&2; exit 9'], stdout: true, stderr: true });
      const session = await dialCommand({ url, transport }, { stdin: false, stdout: true, stderr: true, tty: false });
      expect(await Promise.all([text(session.stdout!), text(session.stderr!), session.outcome])).toEqual(['hello\n', 'bad\n', { type: 'exit', code: 9 }]);
    });
    it('refuses to exec nothing', async () => {
      const { containerId } = await start(await runPod());
      await expect(t.cri.runtime.exec({ containerId, cmd: [], stdout: true })).rejects.toMatchObject({ code: 'invalidArgument' });
    });
    needs('programs')('exec with standard input to its end', async () => {
      const { containerId } = await start(await runPod());
      const { url } = await t.cri.runtime.exec({ containerId, cmd: ['md5sum'], stdin: true, stdout: true });
      // Protocols before v5 cannot half-close a WebSocket; both newest ones can.
      const session = await dialCommand({ url, transport }, { stdin: true, stdout: true, stderr: false, tty: false });
      session.stdin!.end(Buffer.alloc(300_000, 'z'));
      const sum = createHash('md5').update(Buffer.alloc(300_000, 'z')).digest('hex');
      expect((await text(session.stdout!)).slice(0, 32)).toBe(sum);
      expect(await session.outcome).toEqual({ type: 'exit', code: 0 });
    });
    needs('programs')('exec with a terminal, and its size', async () => {
      const { containerId } = await start(await runPod());
      const { url } = await t.cri.runtime.exec({ containerId, cmd: ['sh'], stdin: true, stdout: true, tty: true });
      const session = await dialCommand({ url, transport }, { stdin: true, stdout: true, stderr: false, tty: true });
      session.resize({ width: 91, height: 33 });
      session.stdin!.write('until [ "$(stty size)" = "33 91" ]; do sleep 0.05; done; echo size-ok; exit 4\n');
      const [output, outcome] = await Promise.all([text(session.stdout!), session.outcome]);
      expect(output).toMatch(/size-ok\r\n/);
      expect(outcome).toEqual({ type: 'exit', code: 4 });
    });
    needs('programs')('attach to a running container', async () => {
      const { containerId } = await start(await runPod(), {
        command: ['sh', '-c', 'while read line; do echo "got $line"; done'],
        stdin: true,
        stdinOnce: true,
      } as Partial<ContainerInit>);
      const { url } = await t.cri.runtime.attach({ containerId, stdin: true, stdout: true, stderr: true });
      const session = await dialCommand({ url, transport }, { stdin: true, stdout: true, stderr: true, tty: false });
      session.stdin!.end('a\nb\n');
      expect(await text(session.stdout!)).toBe('got a\ngot b\n');
      await exited(containerId);
    });
    it('port-forward', async () => {
      const pod = await runPod();
      const server = await start(pod, { command: ['sh', '-c', 'mkdir /www; echo forwarded > /www/index.html; httpd -f -p 8090 -h /www'] });
      await expect.poll(async () => (await exec(server.containerId, 'wget -qO- http://127.0.0.1:8090/')).out, { timeout: 10_000 }).toBe('forwarded');
      const { url } = await t.cri.runtime.portForward({ podSandboxId: pod.podSandboxId, port: [8090] });
      const forward = await dialPortForward({ url, transport });
      const stream = await forward.open(8090);
      stream.write('GET / HTTP/1.0\r\n\r\n');
      expect((await buffer(stream)).toString()).toContain('forwarded');
      forward.close();
    });
  });
}
