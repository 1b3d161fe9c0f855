import { describe, expect, it } from 'vitest';
import { publishSchema } from './publish-schema.js';

const gvk = { group: 'example.com', version: 'v1', kind: 'Foo' };
const marks = { 'x-kubernetes-group-version-kind': [gvk] };

// [sig-api-machinery] CustomResourcePublishOpenAPI
describe('the published schema of a custom resource', () => {
  it('is its own, and the fields that all objects have in the words that kubectl explain is expected to show', () => {
    const { properties, ...rest } = publishSchema(
      { type: 'object', description: 'Foo CRD for Testing', properties: { spec: { type: 'object', description: 'Specification of Foo' } } },
      gvk,
      'v2',
      false,
    ) as { properties: Record<string, { description: string }> };
    expect(rest).toEqual({ type: 'object', description: 'Foo CRD for Testing', ...marks });
    expect(properties['spec']).toEqual({ type: 'object', description: 'Specification of Foo' });
    expect(properties['apiVersion']?.description).toMatch(/^APIVersion defines/);
    expect(properties['metadata']?.description).toMatch(/^Standard object's metadata/);
  });

  it('names no property in Swagger 2.0 where unknown ones are preserved at the root', () => {
    const schema = { type: 'object', description: 'all', 'x-kubernetes-preserve-unknown-fields': true, properties: { spec: { type: 'object' } } };
    expect(publishSchema(schema, gvk, 'v2', false)).toEqual({ type: 'object', ...marks });
    expect(publishSchema(schema, gvk, 'v3', false)).toMatchObject({ description: 'all', properties: { spec: { type: 'object' } } });
  });
});
