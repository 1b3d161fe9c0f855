import type { KubeObject, TypeSchema } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import type { ServedResource } from '../registry/served-resource.js';
import { fieldManagement } from './field-managers.js';

const resource = (): ServedResource =>
  ({
    schema: { kind: 'ref', name: 'Thing' },
    lookup: () => undefined,
    codec: { apiVersion: 'example.com/v1' },
    definition: { subresources: [{ type: 'status' }] },
    siblings: undefined,
  }) as unknown as ServedResource;

describe('what field management knows of a resource', () => {
  it('is made once for each subresource of each resource', () => {
    const [one, other] = [resource(), resource()];
    expect(fieldManagement(one, '')).toBe(fieldManagement(one, ''));
    expect(fieldManagement(one, 'status')).not.toBe(fieldManagement(one, ''));
    expect(fieldManagement(one, '')).not.toBe(fieldManagement(other, ''));
    expect(fieldManagement(one, '').subresource).toBeUndefined();
    expect(fieldManagement(one, 'status')).toMatchObject({ apiVersion: 'example.com/v1', subresource: 'status' });
  });

  it('follows versions that come later, and those that take their place', () => {
    const served = resource();
    expect(fieldManagement(served, '').convert).toBeUndefined();
    const object = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: {} } as KubeObject;
    for (const name of ['first', 'second']) {
      const schema: TypeSchema = { kind: 'ref', name };
      served.siblings = (each, apiVersion) => ({ object: { ...each, apiVersion }, schema });
      expect(fieldManagement(served, '').convert?.(object, 'example.com/v2')?.schema).toBe(schema);
    }
    served.siblings = undefined;
    expect(fieldManagement(served, '').convert).toBeUndefined();
  });
});
