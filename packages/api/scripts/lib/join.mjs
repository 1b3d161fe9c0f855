// Brings models and facts together; a model upstream no longer serves has no facts and is left out.
import { typeName } from './type-names.mjs';

const PREFIXES = {
  Admissionregistration: 'io.k8s.api.admissionregistration.v1',
  Apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  Apiregistration: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  Authentication: 'io.k8s.api.authentication.v1',
  Core: 'io.k8s.api.core.v1',
  Discovery: 'io.k8s.api.discovery.v1',
  Events: 'io.k8s.api.events.v1',
  Flowcontrol: 'io.k8s.api.flowcontrol.v1',
  Rbac: 'io.k8s.api.rbac.v1',
  Resource: 'io.k8s.api.resource.v1',
  Storage: 'io.k8s.api.storage.v1',
};
const EXPLICIT = {
  VersionInfo: 'io.k8s.apimachinery.pkg.version.Info',
  V1Preconditions: 'io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions',
};

/** `[{ model, openapi, typeName, facts, … }]` sorted by OpenAPI name; throws when the fields of the two differ. */
export function join(models, structs) {
  const byName = new Map();
  for (const [openapi, facts] of structs) {
    const key = `${facts.version === 'v2' ? 'V2' : 'V1'}${facts.name}`;
    byName.set(key, [...(byName.get(key) ?? []), openapi]);
  }
  const openapiName = (model) => {
    if (EXPLICIT[model]) return EXPLICIT[model];
    const prefixed = /^([A-Z][a-z]+)V1([A-Z].*)$/.exec(model);
    if (prefixed && PREFIXES[prefixed[1]]) return `${PREFIXES[prefixed[1]]}.${prefixed[2]}`;
    const found = byName.get(model) ?? [];
    return found.length === 1 ? found[0] : undefined;
  };
  const joined = models.flatMap((model) => {
    const openapi = openapiName(model.model);
    const facts = openapi && structs.get(openapi);
    return facts ? [{ ...model, openapi, facts, typeName: typeName(model.model) }] : [];
  });
  const problems = joined.flatMap(({ openapi, facts, fields }) => {
    const modelled = new Set(fields.map(({ name }) => name));
    const missing = [...modelled].filter((name) => !facts.fields.has(name) && !['apiVersion', 'kind'].includes(name));
    const extra = [...facts.fields.keys()].filter((name) => !modelled.has(name));
    return [...missing.map((name) => `no facts about ${openapi}.${name}`), ...extra.map((name) => `no model of ${openapi}.${name}`)];
  });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return joined.sort((a, b) => (a.openapi < b.openapi ? -1 : 1));
}
