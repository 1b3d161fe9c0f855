import { JSON_SCHEMA, load } from 'js-yaml';

interface Selection {
  readonly name?: string;
  readonly connection?: { readonly proxyProtocol?: string };
}

/** An EgressSelectorConfiguration in YAML: connections are made directly, and that is all it may ask for. Throws when it asks for a proxy. */
export function checkEgressSelection(text: string): void {
  const config = load(text, { schema: JSON_SCHEMA }) as { kind?: unknown; apiVersion?: unknown; egressSelections?: readonly Selection[] } | null;
  if (config?.kind !== 'EgressSelectorConfiguration' || !/^apiserver\.k8s\.io\/v1(alpha1|beta1)?$/.test(String(config.apiVersion)))
    throw new Error('not an EgressSelectorConfiguration of apiserver.k8s.io/v1beta1');
  for (const [i, { name, connection }] of (config.egressSelections ?? []).entries())
    if (connection?.proxyProtocol !== 'Direct')
      throw new Error(
        `egressSelections[${i}].connection.proxyProtocol: ${name ?? ''}: ${JSON.stringify(connection?.proxyProtocol ?? '')}: connections are made directly here: give Direct`,
      );
}
