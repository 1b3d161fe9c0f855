import { systemClock } from '@coxswain/sdk';
import type { Answer, TestServer } from './start-test-server.js';

export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** A CRD `<plural>.example.com` with one version, or the versions given. */
export function testCrd(plural: string, kind: string, properties: object, more: { readonly version?: object; readonly spec?: object } = {}): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural, kind },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties } }, ...more.version }],
      ...more.spec,
    },
  };
}

/** Create it and wait until it is served. */
export async function establish(api: TestServer, crd: object): Promise<void> {
  const created = await api.call('POST', CRDS, crd);
  if (created.status !== 201) throw new Error(created.text);
  const name = (crd as { metadata: { name: string } }).metadata.name;
  await eventually(api, `${CRDS}/${name}`, ({ json }) =>
    json.status?.conditions?.some((each: { type: string; status: string }) => each.type === 'Established' && each.status === 'True'),
  );
}

/** Ask until the answer is as wanted. */
export async function eventually(api: TestServer, path: string, done: (answer: Answer) => unknown): Promise<Answer> {
  const deadline = systemClock.monotonic() + 10_000;
  for (;;) {
    const answer = await api.call('GET', path);
    if (done(answer)) return answer;
    if (systemClock.monotonic() > deadline) throw new Error(`${path}: ${answer.text}`);
    await systemClock.sleep(10);
  }
}
